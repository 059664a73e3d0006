import { setDigest } from '@coferment/consortium';
import { expect, it } from 'vitest';
import type { Evidence, Recorded } from './evidence.js';
import { SetChanges, setKey } from './set.changes.js';

const [FIRST, SECOND, THIRD] = [
  ['v', 'x', 'y'],
  ['v', 'x', 'z'],
  ['v', 'y', 'z'],
] as const;
const model = { run: 'r1', e: 'e', kind: 'update', modelIn: 'm' };
const evidence = {
  epochOf: () => ({ predicate: { dealings: ['v', 'x', 'y', 'z'].map((site) => ({ site })), numbers: { minContributors: 3 } } }),
  run: () => ({ predicate: { sites: ['v', 'x', 'y', 'z'] } }),
} as unknown as Evidence;

const frozen = (sum: number, set: readonly string[]) =>
  ({
    index: sum,
    predicate: { ...model, sum, t: `t${sum}`, counted: set.map((site) => ({ site })) },
  }) as unknown as Recorded<'round-frozen'>;

const leading = (sum: number, before: readonly string[], after: readonly string[], approvers: readonly string[]) =>
  ({
    index: sum,
    digest: `p${sum}${approvers.join('')}`,
    predicate: { ...model, sum, t: `t${sum}`, before, after, approvers },
  }) as unknown as Recorded<'new-set-proposed'>;

it('asks for a third set everybody in any of the three, also who is in all of them and has signed none', () => {
  const changes = new SetChanges();
  let inForce: readonly string[] = FIRST;
  const propose = (proposal: Recorded<'new-set-proposed'>) =>
    changes.propose(proposal, evidence, (_, set) => set === setDigest([...inForce]));
  changes.noteFreeze(frozen(1, FIRST));
  for (const site of ['x', 'y', 'z']) changes.noteSigner(setKey(model), site, 1);
  const second = leading(1, FIRST, SECOND, ['x', 'y', 'z']);
  expect(propose(second)).toBeUndefined();
  for (const site of ['x', 'y', 'z']) {
    const approval = { predicate: { ...second.predicate, proposal: second.digest, site } } as unknown as Recorded<'new-set-approved'>;
    expect(changes.approve(approval)).toBeUndefined();
  }
  expect(changes.take(frozen(2, SECOND), evidence)).toEqual({ changed: true, why: '' });
  changes.noteFreeze(frozen(2, SECOND));
  inForce = SECOND;
  expect(propose(leading(2, SECOND, THIRD, ['x', 'y', 'z']))).toBe('"v" is concerned and is not asked');
  expect(propose(leading(2, SECOND, THIRD, ['v', 'x', 'y', 'z']))).toBeUndefined();
});
