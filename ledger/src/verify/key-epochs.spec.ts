import { describe, expect, it } from 'vitest';
import { sampleLedger } from './sample-ledger.fixture.js';
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
