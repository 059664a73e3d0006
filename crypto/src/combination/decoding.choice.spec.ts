import { describe, expect, it } from 'vitest';
import { committeeConstants } from '../committee/committee.constants.js';
import { subsetsOf } from '../committee/lagrange.rational.js';
import { relationLattice } from '../committee/relation.lattice.js';
import { xof } from '../hashing/stream.xof.js';
import { parameterSet, type AggregationParameters } from '../ring/parameter.set.js';
import { shareKeptBits } from '../shares/decryption.share.js';
import { blockOf, composedOf } from './block.integers.fixture.js';
import { openBlock, type OpenedBlock } from './block.opening.js';
import { decodingSetsFor, openingSetsFor } from './decoding.choice.js';
import { plannedFor } from './scripted.committee.fixture.js';

const set = parameterSet('STANDARD');
const { modulus: q, plainModulus: t } = set;
const modulo = (value: bigint): bigint => ((value % q) + q) % q;
const MESSAGE = 12_345n;

/* One bit more dropped of uploads than is planned: the residual's bound is then so wide that lies without any help from noise pass it. */
const wide = { ...plannedFor(5, 4, 'STANDARD'), smudgingBits: 92, droppedBits: 112, keptBits: 68, shareDroppedBits: 86 };
const threeOfFive: AggregationParameters = { ...wide, sites: 16, threshold: 3, valueBits: 15 };
const twoOfNine: AggregationParameters = {
  ...wide,
  sites: 9,
  keyHolders: 9,
  threshold: 2,
  smudgingBits: 93,
  droppedBits: 110,
  keptBits: 70,
};

/** A block of one coefficient whose shares are exact but for what `lies` adds to some of them. */
function opened(parameters: AggregationParameters, holders: readonly number[], lies: ReadonlyMap<number, bigint>): OpenedBlock {
  const { points, L1, threshold } = committeeConstants(parameters.keyHolders, parameters.threshold);
  const stream = xof('polynomial', [...holders]);
  const polynomial = Array.from({ length: threshold }, () => stream.uniformBelow(q));
  const shares = holders.map((holder): [number, Uint8Array] => {
    const value = polynomial.reduceRight((sum, coefficient) => sum * BigInt(points[holder]!) + coefficient, 0n);
    const share = modulo(L1 * value + (lies.get(holder) ?? 0n)) >> BigInt(parameters.shareDroppedBits);
    return [holder, blockOf([share], shareKeptBits(parameters))];
  });
  const total = composedOf([modulo((2n * q * MESSAGE + t) / (2n * t) - polynomial[0]!)]);
  return openBlock({ parameters, used: 1, addends: parameters.sites, total, shares: new Map(shares) });
}

const setsFor = (parameters: AggregationParameters, holders: readonly number[]) =>
  decodingSetsFor(holders, committeeConstants(parameters.keyHolders, parameters.threshold), parameters, set);

describe('the choice of decoding sets', () => {
  it('is the one set there is for τ holders', () => {
    expect(setsFor(plannedFor(7, 5, 'STANDARD'), [6, 0, 2, 3, 5]).map(({ holders }) => holders)).toEqual([[0, 2, 3, 5, 6]]);
  });

  it('is one set for every received set of a planned committee, the same however the holders are ordered', () => {
    for (const [m, threshold] of [
      [5, 4],
      [7, 5],
      [12, 9],
    ] as const) {
      const parameters = plannedFor(m, threshold, 'STANDARD');
      for (const holders of subsetsOf(m, threshold + 1)) {
        const chosen = setsFor(parameters, holders);
        expect(chosen.length).toBe(1);
        expect(setsFor(parameters, holders.toReversed())).toBe(chosen);
      }
    }
  });

  it('is remembered for a bounded number of committees and comes out the same again', () => {
    const parameters = plannedFor(7, 5, 'STANDARD');
    const holders = [0, 1, 2, 3, 4, 5];
    const chosen = setsFor(parameters, holders);
    for (let sites = 8; sites < 300; sites++) setsFor({ ...parameters, sites }, holders);
    expect(setsFor(parameters, holders)).not.toBe(chosen);
    expect(setsFor(parameters, holders)).toEqual(chosen);
  });
});

describe('the sets that a sum is opened with', () => {
  const openingFor = (parameters: AggregationParameters, holders: readonly number[]) =>
    openingSetsFor(holders, committeeConstants(parameters.keyHolders, parameters.threshold), parameters, set);
  const everybody = (m: number) => Array.from({ length: m }, (_, position) => position);

  it.each([
    [3, 3, 1],
    [4, 3, 4],
    [5, 4, 5],
    [7, 5, 4],
    [12, 9, 4],
  ])('are few for all %i shares of which %i open', (m, threshold, sets) => {
    const parameters = plannedFor(m, threshold, 'STANDARD');
    const chosen = openingFor(parameters, everybody(m));
    expect(chosen).toHaveLength(sets);
    expect(openingFor(parameters, everybody(m).toReversed())).toBe(chosen);
  });

  it('hold those for all shares, and leave every holder out of one', () => {
    for (const parameters of [plannedFor(7, 5, 'STANDARD'), threeOfFive, twoOfNine]) {
      const all = everybody(parameters.keyHolders);
      const chosen = openingFor(parameters, all);
      expect(chosen).toEqual(expect.arrayContaining([...setsFor(parameters, all)]));
      for (const left of all) expect(chosen.some(({ holders }) => !holders.includes(left))).toBe(true);
    }
  });

  it('are all that it takes where no single one shows every lie of the others', () => {
    for (const holders of subsetsOf(5, 4)) {
      const chosen = openingFor(threeOfFive, holders);
      for (const left of holders) {
        const rest = holders.filter((holder) => holder !== left);
        const needed = setsFor(threeOfFive, rest);
        expect(chosen.some((decoding) => needed.includes(decoding))).toBe(true);
      }
    }
  });
});

describe('a share that is wrong by a fraction of q which every relation lets pass', () => {
  it.each([
    ['(5, 3)', threeOfFive],
    ['(9, 2)', twoOfNine],
  ])('never changes a message under %s, where the first decoding set opens some to another', (_, parameters) => {
    const { keyHolders, threshold } = parameters;
    const { decodingSets, points } = committeeConstants(keyHolders, threshold);
    let [believed, several] = [0, 0];
    for (const holders of subsetsOf(keyHolders, threshold + 1)) {
      const chosen = setsFor(parameters, holders);
      if (chosen.length > 1) several++;
      const [relation] = relationLattice(points, holders, threshold).relations;
      const first = decodingSets.find((decoding) => decoding.holders.every((holder) => holders.includes(holder)))!;
      for (const [index, liar] of holders.entries()) {
        const weight = relation!.weights[index]! < 0n ? -relation!.weights[index]! : relation!.weights[index]!;
        for (let k = 0n; k < weight; k++) {
          const lies = new Map([[liar, (k * q) / weight]]);
          const { coefficients, failedRelations } = opened(parameters, holders, lies);
          expect(failedRelations).toEqual([]);
          // With all τ of a set there is only that set: what each of them says alone.
          const alone = opened(parameters, first.holders, lies).coefficients;
          if (alone !== undefined && alone[0] !== MESSAGE) believed++;
          if (coefficients !== undefined) expect(Array.from(coefficients)).toEqual([MESSAGE]);
          if (k === 0n) expect(coefficients).toBeDefined();
        }
      }
    }
    expect(believed).toBeGreaterThan(0);
    expect(several).toBeGreaterThan(0);
  });
});
