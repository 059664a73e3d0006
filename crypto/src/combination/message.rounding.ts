import type { CommitteeConstants, DecodingSet } from '../committee/committee.constants.js';
import { CryptoError } from '../crypto.error.js';
import { COMPOSED_WORDS } from '../ring/crt.composition.js';
import {
  addConstant,
  addWords,
  carry,
  excessOf,
  limbFactor,
  limbsOf,
  limbVectors,
  multiplyAdd,
  reduceWide,
  setWords,
  type LimbVectors,
} from '../ring/limb.vectors.js';
import { MODULUS_BITS } from '../ring/composed.words.js';
import { placeLimbs } from '../ring/limb.words.js';
import type { AggregationParameters, ParameterSet } from '../ring/parameter.set.js';
import { inverse, multiplier, multiplyHigh, residue, scaleWords } from '../ring/word.arithmetic.js';
import type { BlockTotal } from './ciphertext.sum.js';
import { doubledNoise } from './noise.bound.js';

export interface Decoding {
  set: ParameterSet;
  committee: CommitteeConstants;
  parameters: AggregationParameters;
  decodingSet: DecodingSet;
  addends: number;
}

/**
 * x = L1·L2·Σc + Σ (L2·λ_j)·h_j modulo q for each coefficient in use. h_j is taken in the middle of what its truncated value stands for.
 * @param limbs by position, of the holders of the decoding set
 */
export function combineBlock(
  total: BlockTotal,
  limbs: ReadonlyMap<number, readonly Uint32Array[]>,
  { set, committee, parameters, decodingSet }: Decoding,
): LimbVectors {
  const used = total.length / COMPOSED_WORDS;
  const { shareDroppedBits } = parameters;
  const weights = decodingSet.weights.map(Number);
  const shares = decodingSet.holders.map((holder) => limbs.get(holder)!);
  // 2^d'·v + 2^(d'−1) = 2^(d'−1)·(2·v + 1)
  const double = shareDroppedBits === 0 ? 1 : 2;
  const shift = Math.max(0, shareDroppedBits - 1);
  const half = double === 2 ? weights.reduce((sum, weight) => sum + weight, 0) : 0;
  // What negative weights can take away is added to every limb first and taken off modulo q at the end: the limbs stay non-negative.
  const bias = (weights.reduce((sum, weight) => sum + Math.max(0, -weight), 0) + 1) * double * 2 ** 32;
  const sums = shares[0]!.map((_, limb) => {
    const sum = new Float64Array(used).fill(bias + (limb === 0 ? half : 0));
    for (const [index, share] of shares.entries()) addWeighted(sum, share[limb]!, weights[index]! * double);
    return sum;
  });
  const biases = sums.reduce((all, _, limb) => all + (BigInt(bias) << BigInt(32 * limb)), 0n);
  const combined = limbVectors(used);
  setWords(combined, placeLimbs(sums, shift), used);
  const uploads = limbVectors(used);
  addWords(uploads, total, used);
  const scale = limbFactor(committee.L1 * decodingSet.scale);
  multiplyAdd(uploads.low, scale, combined.low, combined.middle, used);
  multiplyAdd(uploads.middle, scale, combined.middle, combined.top, used);
  multiplyAdd(uploads.top, scale, combined.top, combined.above, used);
  addConstant(combined, residue(-(biases << BigInt(shift)), set.modulus), used);
  reduceWide(combined, set, used);
  return combined;
}

function addWeighted(sum: Float64Array, values: Uint32Array, weight: number): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += weight * values[i]!;
}

/** Twice the residual that honest parties can cause; 'bad-parameters' where it leaves no room in q. */
function noiseLimit({ committee, decodingSet, parameters, addends, set }: Decoding): bigint {
  const { smudgingBits, droppedBits, shareDroppedBits } = parameters;
  const doubled = doubledNoise(committee, decodingSet, { addends, smudgingBits, droppedBits, shareDroppedBits });
  // A bound of q/2t or more would accept everything: such parameters are no committee's.
  if (doubled * set.plainModulus >= set.modulus) {
    throw new CryptoError('bad-parameters', `The noise bound ${doubled} / 2 leaves no room in q: these parameters cannot decode.`);
  }
  return doubled;
}

/**
 * Σ m of the coefficients in use: m′ is the integer nearest to t·x/q, and must have 2·|t·x − q·m′| ≤ t·(twice the noise bound);
 * then (L1·L2)^-1·m′ mod t. Undefined when one is farther than honest noise.
 */
export function roundBlock(combined: LimbVectors, decoding: Decoding): BigUint64Array | undefined {
  const { set, committee, decodingSet } = decoding;
  const t = set.plainModulus;
  const used = combined.low.length;
  const limit = (noiseLimit(decoding) * t) / 2n;
  const message = estimateMessages(combined, set);
  const left = remainders(combined, message, set);
  if (!settle(left, message, limit, set)) return undefined;
  scaleWords(message, 0, used, multiplier(inverse(committee.L1 * decodingSet.scale, t), t));
  return message;
}

/** ⌊t·x/q⌋ from the top 64 of the 180 bits of x: too small by less than three. */
function estimateMessages({ middle, top }: LimbVectors, { plainModulus, modulus }: ParameterSet): BigUint64Array {
  const ratio = BigUint64Array.of((plainModulus << BigInt(MODULUS_BITS)) / modulus);
  const message = new BigUint64Array(middle.length);
  for (let i = 0; i < message.length; i++) {
    const upper = BigInt.asUintN(64, BigInt.asUintN(64, top[i]! << 4n) | BigInt.asUintN(64, middle[i]! >> 56n));
    message[i] = multiplyHigh(upper, BigInt.asUintN(64, ratio[0]!));
  }
  return message;
}

/** t·x − q·m as t·x + E·m less m in `above`, which takes less than three of q: they are taken off, and `message` grows by them. */
function remainders({ low, middle, top }: LimbVectors, message: BigUint64Array, set: ParameterSet): LimbVectors {
  const count = message.length;
  const t = limbFactor(set.plainModulus);
  const left = limbVectors(count);
  multiplyAdd(low, t, left.low, left.middle, count);
  multiplyAdd(middle, t, left.middle, left.top, count);
  multiplyAdd(top, t, left.top, left.above, count);
  const [e0, e1, e2] = excessOf(set);
  multiplyAdd(message, e0, left.low, left.middle, count);
  multiplyAdd(message, e1, left.middle, left.top, count);
  multiplyAdd(message, e2, left.top, left.above, count);
  carry(left, count);
  const excess = BigUint64Array.of(e0[0]!, e1[0]!, e2[0]!);
  for (let i = 0; i < count; i++) {
    const turns = BigInt.asUintN(64, BigInt.asUintN(64, left.above[i]!) - BigInt.asUintN(64, message[i]!));
    message[i] = BigInt.asUintN(64, left.above[i]!);
    left.low[i] = BigInt.asUintN(64, BigInt.asUintN(64, left.low[i]!) + BigInt.asUintN(64, turns * BigInt.asUintN(64, excess[0]!)));
    left.middle[i] = BigInt.asUintN(64, BigInt.asUintN(64, left.middle[i]!) + BigInt.asUintN(64, turns * BigInt.asUintN(64, excess[1]!)));
    left.top[i] = BigInt.asUintN(64, BigInt.asUintN(64, left.top[i]!) + BigInt.asUintN(64, turns * BigInt.asUintN(64, excess[2]!)));
    left.above[i] = 0n;
  }
  carry(left, count);
  return left;
}

/**
 * Rounds to the nearest integer: a remainder of at most `limit` stays, one of at least q − limit counts one more, and any other makes it false. The upper limb
 * tells nearly always; where it does not, integers do.
 */
function settle({ low, middle, top, above }: LimbVectors, message: BigUint64Array, limit: bigint, { modulus }: ParameterSet): boolean {
  const tops = BigUint64Array.of(limbsOf(limit)[2], limbsOf(modulus - limit)[2], limbsOf(modulus)[2]);
  for (let i = 0; i < message.length; i++) {
    const word = BigInt.asUintN(64, top[i]!);
    if (above[i] === 0n && word < BigInt.asUintN(64, tops[0]!)) continue;
    const next = BigInt.asUintN(64, BigInt.asUintN(64, message[i]!) + 1n);
    if (above[i] !== 0n || word <= BigInt.asUintN(64, tops[1]!) || word >= BigInt.asUintN(64, tops[2]!)) {
      const rest = low[i]! + (middle[i]! << 60n) + (top[i]! << 120n) + (above[i]! << 180n);
      // A remainder between q and 2^180 has gone around once more.
      const beyond = rest >= modulus ? rest - modulus : modulus - rest;
      if (rest <= limit) continue;
      if (beyond > limit) return false;
    }
    message[i] = next;
  }
  return true;
}
