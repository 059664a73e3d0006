import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { committeeConstants } from '../committee/committee.constants.js';
import { parityWeights } from '../committee/lagrange.rational.js';
import { xof } from '../hashing/stream.xof.js';
import { parameterSet } from '../ring/parameter.set.js';
import { loadSeal } from '../ring/seal.module.js';
import { changedShare } from './block.integers.fixture.js';
import { sumCiphertexts } from './ciphertext.sum.js';
import { pick, plannedFor, scriptedCommittee, type ScriptedCommittee } from './scripted.committee.fixture.js';
import { combine, type Combination } from './share.combination.js';

const set = parameterSet('INSECURE_TEST_1024');
const { degree, modulus: q, plainModulus: t } = set;

beforeAll(loadSeal);

type Change = (h: bigint, index: number) => bigint;

function liar(committee: ScriptedCommittee, holder: number, change: Change): Uint8Array {
  return changedShare(committee.shares.get(holder)!, degree, committee.parameters, q, change);
}

/** A share whose coefficient 5 is off, far above the noise and by no simple fraction of q, which a weight could cancel. */
const oneWrong: Change = (h, index) => (index === 5 ? h + (q * 271828n) / 314159n : h);

/** a^-1 mod q, for a prime to q (Euclid). */
function inverseModulo(a: bigint): bigint {
  let [low, high, x, y] = [((a % q) + q) % q, q, 1n, 0n];
  while (low > 1n) [low, high, x, y] = [high % low, low, y - (high / low) * x, x];
  return ((x % q) + q) % q;
}

function outcome(committee: ScriptedCommittee, holders: readonly number[], wrong: readonly number[]): Combination {
  const shares = pick(committee.shares, holders);
  for (const holder of wrong) shares.set(holder, liar(committee, holder, oneWrong));
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
  function agreedLie(committee: ScriptedCommittee, lie: (index: number) => bigint): Map<number, Uint8Array> {
    const weights = parityWeights(committeeConstants(7, 5).points, [0, 1, 2, 3, 4, 5]);
    // μ_0·(μ_1·lie) + μ_1·(−μ_0·lie) = 0
    return new Map([
      ...committee.shares,
      [0, liar(committee, 0, (h, index) => h + weights[1]! * lie(index))],
      [1, liar(committee, 1, (h, index) => h - weights[0]! * lie(index))],
    ]);
  }

  it('of two holders that agree on a lie pass parity at τ+1 but not the residual, and frame nobody at τ+2', () => {
    const committee = scriptedCommittee(plannedFor(7, 5));
    const stream = xof('lie');
    const lies = Array.from({ length: degree }, () => stream.uniformBelow(q));
    const shares = agreedLie(committee, (index) => lies[index]!);
    const { parameters, uploads } = committee;
    expect(combine({ parameters, sum: uploads, coefficients: degree, addends: 7, shares: pick(shares, [0, 1, 2, 3, 4, 5]) })).toEqual({
      ok: false,
      reason: 'residual',
    });
    expect(combine({ parameters, sum: uploads, coefficients: degree, addends: 7, shares })).toEqual({ ok: false, reason: 'parity' });
  });

  it('of two holders that aim at one result frame the honest seventh: a documented limit, names hold for one liar at τ+2', () => {
    const committee = scriptedCommittee(plannedFor(7, 5));
    const { decodingSets, points, L1 } = committeeConstants(7, 5);
    const { scale, weights } = decodingSets[0]!;
    const parity = parityWeights(points, [0, 1, 2, 3, 4, 5]);
    const effect = weights[0]! * parity[1]! - weights[1]! * parity[0]!;
    const aim = (((q * L1 * scale) / t) * inverseModulo(effect)) % q;
    const { parameters, uploads } = committee;
    expect(combine({ parameters, sum: uploads, coefficients: degree, addends: 7, shares: agreedLie(committee, () => aim) })).toEqual({
      ok: false,
      reason: 'parity',
      wrong: [6],
    });
  });

  it('and wrong uploads of random bytes garble a sum under (3, 3)', () => {
    const { parameters, uploads, shares } = scriptedCommittee(plannedFor(3, 3));
    const stream = xof('garbage');
    const garbage = liar({ parameters, shares } as ScriptedCommittee, 1, () => stream.uniformBelow(q));
    expect(combine({ parameters, sum: uploads, coefficients: degree, addends: 3, shares: new Map([...shares, [1, garbage]]) })).toEqual({
      ok: false,
      reason: 'residual',
    });
    const upload = new Uint8Array(randomBytes(uploads[0]!.length));
    expect(combine({ parameters, sum: [...uploads.slice(1), upload], coefficients: degree, addends: 3, shares })).toEqual({
      ok: false,
      reason: 'residual',
    });
  });

  it('aimed at a chosen result pass under (3, 3): a documented limit of a committee without spare holders', () => {
    const committee = scriptedCommittee(plannedFor(3, 3));
    const { parameters, uploads, shares, expected } = committee;
    const { decodingSets, L1 } = committeeConstants(3, 3);
    const { scale, weights } = decodingSets[0]!;
    expect(weights[1]).toBe(1n);
    const aimed = liar(committee, 1, (h) => h + (q * L1 * scale) / t);
    const result = combine({
      parameters,
      sum: uploads,
      coefficients: degree,
      addends: 3,
      shares: new Map([...shares, [1, aimed]]),
    });
    expect(result).toEqual({ ok: true, coefficients: expected.map((value) => value + 1n) });
  });
});

describe('a single upload', () => {
  it('is not readable from the sum of all: shares for A open A only', () => {
    const { parameters, uploads, shares } = scriptedCommittee(plannedFor(4, 3));
    const only = sumCiphertexts([uploads[0]!], degree, parameters);
    expect(combine({ parameters, sum: only, coefficients: degree, addends: 1, shares })).toEqual({ ok: false, reason: 'residual' });
  });
});
