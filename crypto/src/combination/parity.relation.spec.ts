import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { committeeConstants } from '../committee/committee.constants.js';
import { parityWeights, subsetsOf } from '../committee/lagrange.rational.js';
import { relationLattice } from '../committee/relation.lattice.js';
import { CryptoError } from '../crypto.error.js';
import { xof } from '../hashing/stream.xof.js';
import { unpackPlanes } from '../packing/bit.planes.js';
import { parameterSet } from '../ring/parameter.set.js';
import { maxSmudging } from '../sampling/smudging.sampler.js';
import { blockOf } from './block.integers.fixture.js';
import { failedRelations } from './parity.relation.js';

const set = parameterSet('STANDARD');
const { modulus: q } = set;
const modulo = (value: bigint): bigint => ((value % q) + q) % q;
const absolute = (value: bigint): bigint => (value < 0n ? -value : value);

interface Scene {
  keyHolders: number;
  threshold: number;
  smudgingBits: number;
  shareDroppedBits: number;
  /** Position of a holder → its truncated coefficients. */
  values: Map<number, bigint[]>;
}

/** The definition: 2·|Σ μ_j·h_j mod q| ≤ Σ|μ_j|·(2·(2^(b+1) − 2) + 2^d'), h_j in the middle of its step, in integers only. */
function plainly({ keyHolders, threshold, smudgingBits, shareDroppedBits, values }: Scene): number[][] {
  const { points } = committeeConstants(keyHolders, threshold);
  const holders = [...values.keys()].toSorted((a, b) => a - b);
  const step = 1n << BigInt(shareDroppedBits);
  const noise = 2n * maxSmudging(smudgingBits) + (shareDroppedBits === 0 ? 0n : step);
  const failed: number[][] = [];
  for (const chosen of subsetsOf(holders.length, threshold + 1)) {
    const positions = chosen.map((index) => holders[index]!);
    const weights = parityWeights(points, positions);
    const bound = weights.reduce((sum, weight) => sum + absolute(weight), 0n) * noise;
    const used = values.get(holders[0]!)!.length;
    const holds = Array.from({ length: used }, (_, index) => {
      // Twice h_j, so that the middle of a step is an integer.
      const doubled = weights.reduce((sum, weight, at) => {
        const value = values.get(positions[at]!)![index]!;
        return sum + weight * (2n * value * step + (shareDroppedBits === 0 ? 0n : step));
      }, 0n);
      const rest = ((doubled % (2n * q)) + 2n * q) % (2n * q);
      return (rest > q ? 2n * q - rest : rest) <= bound;
    });
    if (holds.includes(false)) failed.push(positions);
  }
  return failed;
}

function quickly({ keyHolders, threshold, smudgingBits, shareDroppedBits, values }: Scene): number[][] {
  const { points } = committeeConstants(keyHolders, threshold);
  const bits = 180 - shareDroppedBits;
  const used = values.values().next().value!.length;
  const limbs = new Map([...values].map(([holder, block]) => [holder, unpackPlanes(blockOf(block, bits), used, bits, 'A share')]));
  return failedRelations({ set, used, smudgingBits, shareDroppedBits, limbs }, relationLattice(points, [...values.keys()], threshold));
}

/** h_j of a random polynomial with noise of up to `part` times the largest, truncated. */
function honest(scene: Omit<Scene, 'values'>, used: number, seed: number, part: number): Map<number, bigint[]> {
  const { keyHolders, threshold, smudgingBits, shareDroppedBits } = scene;
  const { points } = committeeConstants(keyHolders, threshold);
  const stream = xof('honest', seed);
  const most = maxSmudging(smudgingBits);
  const polynomials = Array.from({ length: used }, () => Array.from({ length: threshold }, () => stream.uniformBelow(q)));
  return new Map(
    points.map((point, holder) => [
      holder,
      polynomials.map((polynomial) => {
        const value = polynomial.reduceRight((sum, coefficient) => sum * BigInt(point) + coefficient, 0n);
        const noise = ((2n * stream.uniformBelow(2n ** 64n) - 2n ** 64n) * most * BigInt(part)) / 2n ** 74n;
        return modulo(value + noise) >> BigInt(shareDroppedBits);
      }),
    ]),
  );
}

const committees = [
  { keyHolders: 4, threshold: 3, smudgingBits: 89 },
  { keyHolders: 7, threshold: 5, smudgingBits: 98 },
  { keyHolders: 12, threshold: 9, smudgingBits: 102 },
  { keyHolders: 8, threshold: 4, smudgingBits: 98 },
];
const scenes = fc.record({
  committee: fc.constantFrom(...committees),
  below: fc.constantFrom(0, 1, 6, 9, 200),
  seed: fc.nat(),
});

describe('parity relations', () => {
  it('are none for τ holders', () => {
    const scene = { keyHolders: 4, threshold: 3, smudgingBits: 89, shareDroppedBits: 83 };
    const values = honest(scene, 3, 1, 1024);
    values.delete(3);
    expect(quickly({ ...scene, values })).toEqual([]);
  });

  it('are refused where their bound leaves no room in q', () => {
    const scene = { keyHolders: 4, threshold: 3, smudgingBits: 160, shareDroppedBits: 100 };
    expect(() => quickly({ ...scene, smudgingBits: 178, values: honest(scene, 1, 1, 1) })).toThrow(CryptoError);
  });

  it('are judged as the integers say: honest shares, a wrong one, and noise around the bound', () => {
    fc.assert(
      fc.property(
        scenes,
        fc.constantFrom(1024, 1500, 3000),
        fc.array(fc.nat({ max: 11 }), { maxLength: 2 }),
        ({ committee, below, seed }, part, liars) => {
          const scene = { ...committee, shareDroppedBits: Math.max(0, committee.smudgingBits - below) };
          const values = honest(scene, 5, seed, part);
          for (const liar of liars) {
            const stream = xof('liar', seed, liar);
            const own = values.get(liar % scene.keyHolders)!;
            for (let i = seed % 2; i < own.length; i++) own[i] = stream.uniformBelow(q) >> BigInt(scene.shareDroppedBits);
          }
          expect(quickly({ ...scene, values })).toEqual(plainly({ ...scene, values }));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('are judged to the last unit at the bound, on both sides of it and of q', () => {
    fc.assert(
      fc.property(
        scenes,
        fc.bigInt({ min: -2n, max: 2n }),
        fc.constantFrom(1n, -1n),
        fc.nat(),
        ({ committee, below, seed }, offset, sign, pick) => {
          const scene = { ...committee, shareDroppedBits: Math.max(0, committee.smudgingBits - below) };
          const { points } = committeeConstants(scene.keyHolders, scene.threshold);
          const values = honest(scene, 2, seed, 0);
          const { relations } = relationLattice(points, [...values.keys()], scene.threshold);
          const { holders, weights } = relations[pick % relations.length]!;
          // One share is moved by as many steps as bring this relation to its bound and `offset` of its steps beyond.
          const step = 1n << BigInt(scene.shareDroppedBits);
          const noise = 2n * maxSmudging(scene.smudgingBits) + (scene.shareDroppedBits === 0 ? 0n : step);
          const bound = weights.reduce((sum, weight) => sum + absolute(weight), 0n) * noise;
          const own = values.get(holders[0]!)!;
          const moved = own[1]! + sign * (bound / (2n * step * absolute(weights[0]!)) + offset);
          const top = q >> BigInt(scene.shareDroppedBits);
          own[1] = ((moved % top) + top) % top;
          expect(quickly({ ...scene, values })).toEqual(plainly({ ...scene, values }));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('take every relation as an integer combination of a basis, for every set of holders', () => {
    for (const [keyHolders, threshold] of [
      [4, 3],
      [5, 2],
      [7, 5],
      [12, 9],
    ] as const) {
      const { points } = committeeConstants(keyHolders, threshold);
      for (let size = threshold + 1; size <= keyHolders; size++) {
        for (const holders of subsetsOf(keyHolders, size)) {
          const { basis, relations } = relationLattice(points, holders, threshold);
          expect(basis.length).toBe(size - threshold);
          expect(relations.length).toBe(Array.from(subsetsOf(size, threshold + 1)).length);
          for (const vector of basis) expect(vector.reduce((sum, weight) => sum + absolute(weight), 0n)).toBeLessThan(2n ** 20n);
          for (const relation of relations) {
            const combined = holders.map((_, at) => relation.coordinates.reduce((sum, c, k) => sum + c * basis[k]![at]!, 0n));
            const whole = holders.map((holder) => relation.weights[relation.holders.indexOf(holder)] ?? 0n);
            expect(combined).toEqual(whole);
          }
        }
      }
    }
  });
});
