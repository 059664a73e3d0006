import { readFileSync } from 'node:fs';
import { planAggregation, requirePlannedAggregation } from '@coferment/consortium';
import { type AggregationParameters, committeeConstants, loadCrypto, openBlock, parameterSet, unpackSum } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { blockOf, composedOf } from '../../crypto/src/combination/block.integers.fixture.js';
import { zeroElement } from '../../crypto/src/ring/ring.element.js';
import { sealEngine } from '../../crypto/src/ring/seal.engine.js';
import { absolute, extremeMessages, inverse, modulo, type WorstCoefficient, WorstScene } from './exactness.scene.js';

interface KnownConstants {
  m: number;
  threshold: number;
  L1: number;
  drownBits: number;
  L2worst: number;
  decodeBitsWorst: number;
  decodeBitsBest: number;
}

/** All pairs of the design, each computed twice by others. */
const known = JSON.parse(readFileSync(new URL('committee-constants.json', import.meta.url), 'utf8')) as KnownConstants[];
const SITES = [3, 5, 8, 16, 100];
const SIGNS = [1n, -1n] as const;
const set = parameterSet('STANDARD');
const { modulus: q, plainModulus: t } = set;

/** A key holder is a site: as many sites as holders, and every larger number of the list. */
const sitesFor = (m: number): number[] => [...new Set([m, ...SITES.filter((sites) => sites >= m)])];

describe('committee constants', () => {
  it.each(known)('of ($m, $threshold) are the known ones', ({ m, threshold, L1, drownBits, L2worst, decodeBitsWorst, decodeBitsBest }) => {
    const constants = committeeConstants(m, threshold);
    expect([constants.L1, constants.worstL2]).toEqual([BigInt(L1), BigInt(L2worst)]);
    const { maxDrown, worstDecode, bestDecode } = constants;
    const bits = [maxDrown, worstDecode, bestDecode].map((value) => Math.round(100 * Math.log2(Number(value))) / 100);
    expect(bits).toEqual([drownBits, decodeBitsWorst, decodeBitsBest]);
  });
});

describe('in integers, for every τ-subset, with all noise at its worst and all of one sign', () => {
  it.each(known)('sums under ($m, $threshold) open exactly, and one more dropped bit is refused', ({ m, threshold }) => {
    const committee = committeeConstants(m, threshold);
    let opened = 0;
    for (const sites of sitesFor(m)) {
      const parameters = planAggregation({ sites, keyHolders: m, threshold });
      const { droppedBits, keptBits, shareDroppedBits } = parameters;
      let largest = 0n;
      for (const decoding of committee.decodingSets) {
        const scene = new WorstScene(parameters, decoding);
        if (scene.doubled > largest) largest = scene.doubled;
        for (const message of extremeMessages(parameters)) {
          for (const sign of SIGNS) {
            const coefficient = scene.coefficient(message, sign);
            const x = scene.combined(coefficient);
            if (scene.decoded(x) !== coefficient.expected) {
              throw new Error(
                `(${m}, ${threshold}), ${sites} sites, D = ${decoding.holders.join()}: ${coefficient.expected} is opened as ${scene.decoded(x)}`,
              );
            }
            // The bound holds, and the scene reaches it but for the roundings: the bound is no larger than it must be.
            const reached = 2n * absolute(scene.deviation(x, coefficient.expected));
            const roundings = 3n * scene.scale * BigInt(sites) + 2n * decoding.weightSum;
            if (reached > t * scene.doubled || reached < t * (scene.doubled - roundings)) {
              throw new Error(
                `(${m}, ${threshold}), ${sites} sites, D = ${decoding.holders.join()}: twice the noise is ${reached}, the bound ${t * scene.doubled}`,
              );
            }
            opened++;
          }
        }
      }
      expect(2n * t * largest).toBeLessThan(q);
      expect(() => requirePlannedAggregation(parameters)).not.toThrow();
      const refused: Partial<AggregationParameters>[] = [
        { droppedBits: droppedBits + 1, keptBits: keptBits - 1 },
        { shareDroppedBits: shareDroppedBits + 1 },
      ];
      for (const more of refused) expect(() => requirePlannedAggregation({ ...parameters, ...more })).toThrow(/DroppedBits|droppedBits/);
    }
    expect(opened).toBe(
      sitesFor(m).length *
        committee.decodingSets.length *
        extremeMessages(planAggregation({ sites: m, keyHolders: m, threshold })).length *
        2,
    );
  });
});

/** Coefficients side by side in one block of ring degree 8192. */
function openScene(scene: WorstScene, coefficients: readonly WorstCoefficient[]): BigUint64Array | undefined {
  const { parameters, decoding } = scene;
  const shares = new Map(
    decoding.holders.map((holder, index) => [
      holder,
      blockOf(
        coefficients.map(({ truncated }) => truncated[index]!),
        180 - parameters.shareDroppedBits,
      ),
    ]),
  );
  const total = composedOf(coefficients.map((coefficient) => coefficient.total));
  const used = coefficients.length;
  const { coefficients: opened, failedRelations } = openBlock({ parameters, used, addends: parameters.sites, total, shares });
  expect(failedRelations).toEqual([]);
  return opened;
}

/** The same with SEAL's own Decryptor for the rounding of t·x/q. */
function roundedBySeal(scene: WorstScene, coefficients: readonly WorstCoefficient[]): bigint[] {
  const x = zeroElement(set);
  coefficients.forEach((coefficient, index) => {
    const value = scene.combined(coefficient);
    set.dataPrimes.forEach((prime, p) => (x[p * set.degree + index] = value % prime));
  });
  const factor = inverse(scene.scale, t);
  return Array.from(sealEngine('STANDARD').roundToMessage(x).subarray(0, coefficients.length), (value) => modulo(value * factor, t));
}

const SPREAD = [
  [3, 3],
  [4, 3],
  [5, 4],
  [7, 5],
  [10, 7],
  [12, 9],
] as const;

describe.each(SPREAD)('at N = 8192, under (%i, %i)', (m, threshold) => {
  const committee = committeeConstants(m, threshold);
  beforeAll(loadCrypto);

  it.each([m, 100])('every τ-subset opens the worst sums of %i sites, and SEAL rounds them alike', (sites) => {
    const parameters = planAggregation({ sites, keyHolders: m, threshold });
    const messages = extremeMessages(parameters);
    for (const decoding of committee.decodingSets) {
      const scene = new WorstScene(parameters, decoding);
      const coefficients = messages.flatMap((message) => SIGNS.map((sign) => scene.coefficient(message, sign)));
      const expected = coefficients.map((coefficient) => coefficient.expected);
      expect(Array.from(openScene(scene, coefficients) ?? [])).toEqual(expected);
      expect(roundedBySeal(scene, coefficients)).toEqual(expected);
    }
  });

  it('a whole block of worst sums opens with the subset of most noise and unpacks to its digits', () => {
    const parameters = planAggregation({ sites: 16, keyHolders: m, threshold });
    const decoding = committee.decodingSets.reduce((worst, next) => (next.weightSum > worst.weightSum ? next : worst));
    const scene = new WorstScene(parameters, decoding);
    const messages = extremeMessages(parameters);
    const { degree } = set;
    // The last coefficient of a vector is its check and zero.
    const sent = Array.from({ length: degree }, (_, index) => (index === degree - 1 ? 0n : messages[index % messages.length]!));
    const opened = openScene(
      scene,
      sent.map((message, index) => scene.coefficient(message, SIGNS[(index >> 2) % 2]!)),
    );
    const { digitsPerCoefficient, digitBits } = parameters;
    const shape = { packed: (degree - 1) * digitsPerCoefficient, exact: 0 };
    const digits = sent
      .slice(0, -1)
      .flatMap((message) =>
        Array.from(
          { length: digitsPerCoefficient },
          (_, position) => 16 * Number(BigInt.asUintN(digitBits, message >> BigInt(digitBits * position))),
        ),
      );
    expect(unpackSum(shape, parameters, opened!, 16).packed).toEqual(Float64Array.from(digits));
  });

  it('what is off by a little more than honest parties can be is not opened', () => {
    const parameters = planAggregation({ sites: m, keyHolders: m, threshold });
    for (const decoding of committee.decodingSets) {
      const scene = new WorstScene(parameters, decoding);
      for (const sign of SIGNS) {
        const coefficient = scene.coefficient(extremeMessages(parameters)[1]!, sign);
        const beyond = { ...coefficient, total: modulo(coefficient.total + sign * BigInt(2 * m + 4), q) };
        expect(openScene(scene, [beyond])).toBeUndefined();
      }
    }
  });
});
