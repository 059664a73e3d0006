import { describe, expect, it } from 'vitest';
import { committeeConstants } from '../committee/committee.constants.js';
import { relationLattice } from '../committee/relation.lattice.js';
import { xof } from '../hashing/stream.xof.js';
import { judgeParity, type ParityVerdict } from './parity.check.js';
import { plannedFor } from './scripted.committee.fixture.js';

/** The verdict where these holders lie by k/u of q and everybody else is exact. */
function verdict(m: number, threshold: number, lies: ReadonlyMap<number, readonly [k: number, u: number]>): ParityVerdict {
  const { points } = committeeConstants(m, threshold);
  const holders = points.map((_, index) => index);
  const common = [...lies.values()].reduce((product, [, u]) => product * u, 1);
  const failed = relationLattice(points, holders, threshold).relations.filter((relation) => {
    const value = relation.holders.reduce((sum, holder, index) => {
      const [k, u] = lies.get(holder) ?? [0, 1];
      return sum + Number(relation.weights[index]!) * k * (common / u);
    }, 0);
    return value % common !== 0;
  });
  const parameters = { ...plannedFor(8, 4), sites: m, keyHolders: m, threshold };
  return judgeParity({ parameters, holders, failedRelations: failed.map((relation) => relation.holders) });
}

describe('suspects', () => {
  it('are the liars, also with more shares than are needed to name them', () => {
    for (const liar of [0, 3, 7]) {
      // A prime that divides no weight.
      for (const threshold of [6, 5, 4]) {
        expect(verdict(8, threshold, new Map([[liar, [5, 101]]]))).toEqual({ consistent: false, suspects: [liar] });
      }
    }
    const two = new Map([
      [1, [5, 101]],
      [6, [3, 103]],
    ] as const);
    expect(verdict(8, 4, two)).toEqual({ consistent: false, suspects: [1, 6] });
    expect(verdict(9, 4, two)).toEqual({ consistent: false, suspects: [1, 6] });
    expect(verdict(8, 5, two)).toEqual({ consistent: false });
  });

  it('are none where the lie is a fraction that could as well be that of another', () => {
    expect(verdict(7, 5, new Map([[1, [1, 3]]]))).toEqual({ consistent: false });
    expect(verdict(6, 4, new Map([[3, [1, 6]]]))).toEqual({ consistent: false });
  });

  it('are not an honest holder that two liars with fractions put into every failed relation at τ+3', () => {
    const lies = new Map([
      [5, [1, 2]],
      [7, [1, 5]],
    ] as const);
    expect(verdict(8, 5, lies)).toEqual({ consistent: false });
  });

  it('are liars whenever at most half of the shares beyond τ, rounded up, are wrong, by whatever fractions', () => {
    const stream = xof('fractions');
    const below = (bound: number): number => Number(stream.uniformBelow(BigInt(bound)));
    let named = 0;
    for (const [m, threshold, most] of [
      [7, 5, 1],
      [7, 4, 2],
      [8, 5, 2],
      [8, 4, 2],
      [8, 3, 3],
      [9, 3, 3],
    ] as const) {
      for (let trial = 0; trial < 150; trial++) {
        const lies = new Map(
          Array.from({ length: most }, () => {
            const u = [2, 3, 4, 5, 6, 7, 10, 12, 101][below(9)]!;
            return [below(m), [1 + below(u - 1), u]] as const;
          }),
        );
        const judged = verdict(m, threshold, lies);
        if (judged.consistent || judged.suspects === undefined) continue;
        expect([...lies.keys()]).toEqual(expect.arrayContaining(judged.suspects));
        named++;
      }
    }
    expect(named).toBeGreaterThan(200);
  });
});
