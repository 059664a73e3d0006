import type { PredicateName } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { EpochOrder } from './epoch.order.js';
import { Evidence, type Recorded } from './evidence.js';
import { ProblemList } from './problem.list.js';
import { RUN, sampleLedger } from './sample-ledger.fixture.js';
import { type ForgeryCase, failing, forging, problems, verifyLedger } from './verification.fixture.js';

const inSecond = (predicate: { epoch: number }) => predicate.epoch === 2;

describe('a run with a second key epoch', () => {
  it('holds: the frozen set is completed under a new number, after every key was confirmed anew', async () => {
    expect(failing(await verifyLedger(sampleLedger(undefined, 2, 1)))).toEqual([]);
    expect(failing(await verifyLedger(sampleLedger(undefined, 2, 2)))).toEqual([]);
  });

  const forgeries: ForgeryCase[] = [
    ['without its reason', forging('key-epoch', () => ({ renewal: undefined as never }), inSecond), 'key-epochs', 'does not say why'],
    [
      'with a quorum of its own',
      forging('key-epoch', ({ numbers }) => ({ numbers: { ...numbers, c: 0, rho: 3 } }), inSecond),
      'key-epochs',
      "not those of the run's first epoch",
    ],
    [
      'with a replaced holder among its holders',
      forging('key-epoch', () => ({ renewal: { reason: 'x', leftOut: [], replaced: ['alpha'] } }), inSecond),
      'key-epochs',
      '"alpha" is replaced as key holder, and lists it as one',
    ],
    [
      'with a site said to be left out that has dealt',
      forging('key-epoch', () => ({ renewal: { reason: 'x', leftOut: ['delta'], replaced: [] } }), inSecond),
      'key-epochs',
      '"delta" is left out, and lists its dealing',
    ],
    [
      'with a number that no run reaches',
      forging('key-epoch', () => ({ epoch: 101 }), inSecond),
      'key-epochs',
      'a run has at most 100 key epochs',
    ],
    [
      'whose keys are not confirmed',
      forging(
        'aggregate',
        () => undefined,
        ({ epoch, kind, sum }) => epoch === 2 && kind === 'confirm' && sum === 8,
      ),
      'key-epochs',
      'the key of "bravo", which no confirm sum has confirmed',
    ],
    [
      'whose sums begin again from 1',
      forging(
        'round-frozen',
        ({ sum }) => ({ sum: sum - 6 }),
        ({ epoch, kind }) => epoch === 2 && kind === 'confirm',
      ),
      'key-epochs',
      'does not come after sum 6',
    ],
    [
      'over a smaller set than was frozen before it',
      forging(
        'round-frozen',
        ({ counted }) => ({ counted: counted.slice(0, 3) }),
        ({ epoch, kind, round }) => epoch === 2 && kind === 'update' && round === 1,
      ),
      'one-set',
      'counts another set of sites than',
    ],
  ];
  it.each(forgeries)('does not hold %s', async (_, forge, id, expected) => {
    const report = await verifyLedger(sampleLedger(forge, 2, 1));
    expect(failing(report)).toContain(id);
    expect(problems(report, id).join('\n')).toContain(expected);
  });
});

describe('a run that lists very many key epochs', () => {
  it('is not compared with all of them for every freeze', () => {
    const [list, evidence] = [new ProblemList(), new Evidence()];
    const order = new EpochOrder(list);
    const take = (name: PredicateName, index: number, predicate: object) => {
      const recorded = { name, index, digest: '', publicKey: '', predicate: { run: RUN, e: `${index}`, ...predicate } } as Recorded;
      order.follow(recorded, evidence);
      evidence.take(recorded);
    };
    const started = performance.now();
    for (let epoch = 1; epoch <= 20_000; epoch++) take('key-epoch', epoch, { epoch, e0: `${epoch}`, leftOut: [], keyHolders: [] });
    for (let sum = 1; sum <= 20_000; sum++) take('round-frozen', 20_000 + sum, { epoch: 1, kind: 'update', sum, k: '', t: '' });
    expect(performance.now() - started).toBeLessThan(2000);
    expect([evidence.epoch(RUN, 100)?.index, evidence.epoch(RUN, 101)]).toEqual([100, undefined]);
  });
});
