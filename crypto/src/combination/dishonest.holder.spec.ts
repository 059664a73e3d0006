import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { committeeConstants } from '../committee/committee.constants.js';
import { parityWeights, subsetsOf } from '../committee/lagrange.rational.js';
import { parameterSet } from '../ring/parameter.set.js';
import {
  addScaledElement,
  bytesFromWords,
  elementFromBytes,
  scalar,
  scaleElement,
  wordsFromBytes,
  type RingElement,
} from '../ring/ring.element.js';
import { loadSeal } from '../ring/seal.module.js';
import { sealEngine } from '../ring/seal.engine.js';
import { inverse, multiplier } from '../ring/word.arithmetic.js';
import { maxSmudging } from '../sampling/smudging.sampler.js';
import { publicElement, uniformElement } from '../sampling/uniform.sampler.js';
import { sumCiphertexts, type CiphertextSum } from './ciphertext.sum.js';
import { K, largestCoefficient, pick, plannedFor, scriptedCommittee, type ScriptedCommittee } from './scripted.committee.fixture.js';
import { combine, type Combination } from './share.combination.js';

const set = parameterSet('INSECURE_TEST_1024');

beforeAll(loadSeal);

/** A share whose coefficient 5 is off by q/3: far above the noise in one coefficient only. */
function withWrongCoefficient(share: Uint8Array): Uint8Array {
  const words = wordsFromBytes(share);
  words[5] = (words[5]! + set.dataPrimes[0]! / 3n) % set.dataPrimes[0]!;
  return bytesFromWords(words);
}

function outcome(committee: ScriptedCommittee, holders: readonly number[], wrong: readonly number[]): Combination {
  const shares = pick(committee.shares, holders);
  for (const holder of wrong) shares.set(holder, withWrongCoefficient(shares.get(holder)!));
  const { parameters, uploads } = committee;
  return combine({ parameters, sum: uploads, coefficients: committee.coefficients, addends: uploads.length, shares });
}

describe('wrong shares', () => {
  it('are noticed without naming at τ, detected at τ+1 and named at τ+2', () => {
    const committee = scriptedCommittee(plannedFor(7, 5));
    expect(outcome(committee, [0, 1, 2, 3, 4], [2])).toEqual({ ok: false, reason: 'residual' });
    expect(outcome(committee, [0, 1, 2, 3, 4, 5], [2])).toEqual({ ok: false, reason: 'parity' });
    for (let liar = 0; liar < 7; liar++) {
      expect(outcome(committee, [0, 1, 2, 3, 4, 5, 6], [liar])).toEqual({ ok: false, reason: 'parity', wrong: [liar] });
    }
    expect(outcome(committee, [0, 1, 2, 3, 4, 5, 6], [1, 4])).toEqual({ ok: false, reason: 'parity' });
  });

  it('of two holders are named at τ+4', () => {
    const committee = scriptedCommittee(plannedFor(8, 4));
    expect(outcome(committee, [0, 1, 2, 3, 4, 5, 6], [1, 6])).toEqual({ ok: false, reason: 'parity' });
    expect(outcome(committee, [0, 1, 2, 3, 4, 5, 6, 7], [1, 6])).toEqual({ ok: false, reason: 'parity', wrong: [1, 6] });
  });

  /** Shares in which holders 0 and 1 lie such that the relation over the first six holders still holds. */
  function agreedLie(committee: ScriptedCommittee, lie: RingElement): Map<number, Uint8Array> {
    const weights = parityWeights(committeeConstants(7, 5).points, [0, 1, 2, 3, 4, 5]);
    const shares = new Map(committee.shares);
    // μ_0·(μ_1·lie) + μ_1·(−μ_0·lie) = 0
    for (const [holder, factor] of [
      [0, weights[1]!],
      [1, -weights[0]!],
    ] as const) {
      const element = elementFromBytes(shares.get(holder)!, set, 'share');
      addScaledElement(element, lie, scalar(factor, set), set);
      shares.set(holder, bytesFromWords(element));
    }
    return shares;
  }

  it('of two holders that agree on a lie pass parity at τ+1 but not the residual, and frame nobody at τ+2', () => {
    const committee = scriptedCommittee(plannedFor(7, 5));
    const shares = agreedLie(committee, uniformElement(set));
    const { parameters, uploads } = committee;
    expect(combine({ parameters, sum: uploads, coefficients: set.degree, addends: 7, shares: pick(shares, [0, 1, 2, 3, 4, 5]) })).toEqual({
      ok: false,
      reason: 'residual',
    });
    expect(combine({ parameters, sum: uploads, coefficients: set.degree, addends: 7, shares })).toEqual({ ok: false, reason: 'parity' });
  });

  it('of two holders that aim at one result frame the honest seventh: a documented limit, names hold for one liar at τ+2', () => {
    const committee = scriptedCommittee(plannedFor(7, 5));
    const { decodingSets, points, L1 } = committeeConstants(7, 5);
    const { scale, weights } = decodingSets[0]!;
    const parity = parityWeights(points, [0, 1, 2, 3, 4, 5]);
    const effect = weights[0]! * parity[1]! - weights[1]! * parity[0]!;
    const lie = sealEngine(set.name).addScaledMessage(new BigUint64Array(3 * set.degree), new BigUint64Array(set.degree).fill(L1 * scale));
    scaleElement(
      lie,
      set.dataPrimes.map((prime) => multiplier(inverse(effect, prime), prime)),
      set,
    );
    const { parameters, uploads } = committee;
    expect(combine({ parameters, sum: uploads, coefficients: set.degree, addends: 7, shares: agreedLie(committee, lie) })).toEqual({
      ok: false,
      reason: 'parity',
      wrong: [6],
    });
  });

  it('and wrong uploads of random bytes garble a sum under (3, 3)', () => {
    const { parameters, uploads, shares } = scriptedCommittee(plannedFor(3, 3));
    const garbage = bytesFromWords(uniformElement(set));
    expect(combine({ parameters, sum: uploads, coefficients: set.degree, addends: 3, shares: new Map([...shares, [1, garbage]]) })).toEqual(
      {
        ok: false,
        reason: 'residual',
      },
    );
    const upload = new Uint8Array(randomBytes(uploads[0]!.length));
    expect(combine({ parameters, sum: [...uploads.slice(1), upload], coefficients: set.degree, addends: 3, shares })).toEqual({
      ok: false,
      reason: 'residual',
    });
  });

  it('aimed at a chosen result pass under (3, 3): a documented limit of a committee without spare holders', () => {
    const { parameters, uploads, shares, expected } = scriptedCommittee(plannedFor(3, 3));
    const { decodingSets, L1 } = committeeConstants(3, 3);
    const { scale, weights } = decodingSets[0]!;
    expect(weights[1]).toBe(1n);
    const shift = new BigUint64Array(set.degree).fill(1n);
    const aimed = sealEngine(set.name).addScaledMessage(
      elementFromBytes(shares.get(1)!, set, 'share'),
      shift.map((value) => value * L1 * scale),
    );
    const result = combine({
      parameters,
      sum: uploads,
      coefficients: set.degree,
      addends: 3,
      shares: new Map([...shares, [1, bytesFromWords(aimed)]]),
    });
    expect(result).toEqual({ ok: true, coefficients: expected.map((value) => value + 1n) });
  });
});

describe('the worst honest noise', () => {
  /** Encryption errors ±21, truncation at its end, smudging at ±(2^(b+1) − 2) with the signs that add up for D, all digits at their maximum. */
  function worstCase(m: number, threshold: number, position: number, extra: bigint): { result: Combination; expected: bigint } {
    const parameters = plannedFor(m, threshold);
    const { decodingSets, L1 } = committeeConstants(m, threshold);
    const decoding = decodingSets[position]!;
    const engine = sealEngine(set.name);
    const secret = engine.ternarySecret();
    const a = publicElement(K, 0, set);
    const factor = engine.factor(secret);
    const product = engine.productCoefficients(a, factor);
    factor.free();
    const constant = (value: bigint): BigUint64Array => {
      const element = new BigUint64Array(3 * set.degree);
      set.dataPrimes.forEach((prime, p) => element.fill(((value % prime) + prime) % prime, p * set.degree, (p + 1) * set.degree));
      return element;
    };
    const one = scalar(1n, set);
    const message = BigInt(m) * largestCoefficient(parameters);
    // Every holder's key share is the secret itself: a polynomial of degree 0, which any D interpolates.
    const block = engine.addScaledMessage(new BigUint64Array(3 * set.degree), new BigUint64Array(set.degree).fill(message));
    addScaledElement(block, product, scalar(-1n, set), set);
    addScaledElement(block, constant(BigInt(m) * (21n + (1n << BigInt(parameters.droppedBits - 1))) + extra), one, set);
    const shares = new Map(
      decoding.holders.map((holder, index) => {
        const share = constant(maxSmudging(parameters.smudgingBits) * (decoding.weights[index]! < 0n ? -1n : 1n));
        addScaledElement(share, product, scalar(L1, set), set);
        return [holder, bytesFromWords(share)];
      }),
    );
    const sum: CiphertextSum = { addends: m, coefficients: set.degree, blocks: [block] };
    return { result: combine({ parameters, sum, coefficients: set.degree, addends: m, shares }), expected: message };
  }

  it.each([
    [3, 3],
    [5, 4],
    [7, 5],
    [12, 9],
  ])('decodes for every subset of (%i, %i), and more than that is refused', (m, threshold) => {
    const subsets = Array.from(subsetsOf(m, threshold));
    for (let position = 0; position < subsets.length; position++) {
      const { result, expected } = worstCase(m, threshold, position, 0n);
      expect(result.ok && result.coefficients.every((value) => value === expected)).toBe(true);
      // Room for the roundings (m halves), and then one step beyond the bound.
      expect(worstCase(m, threshold, position, BigInt(m) + 2n).result).toEqual({ ok: false, reason: 'residual' });
    }
  });
});

describe('a single upload', () => {
  it('is not readable from the sum of all: shares for A open A only', () => {
    const { parameters, uploads, shares } = scriptedCommittee(plannedFor(4, 3));
    const only = sumCiphertexts([uploads[0]!], set.degree, parameters);
    expect(combine({ parameters, sum: only, coefficients: set.degree, addends: 1, shares })).toEqual({ ok: false, reason: 'residual' });
  });
});
