import type { CommitteeConstants, DecodingSet } from '../committee/committee.constants.js';
import { CryptoError } from '../crypto.error.js';
import { COMPOSED_WORDS } from '../ring/crt.composition.js';
import { placeLimbs, wideInteger } from '../ring/limb.words.js';
import { modulusFold, MODULUS_BITS, reduceInto, residueWords, wordsOf } from '../ring/modulus.fold.js';
import type { AggregationParameters, ParameterSet } from '../ring/parameter.set.js';
import { inverse, multiplier, multiplyBy, multiplyHigh } from '../ring/word.arithmetic.js';
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
 * x = L1·L2·Σc + Σ (L2·λ_j)·h_j for each coefficient in use: three words each. h_j is taken in the middle of what its truncated value stands for.
 * @param limbs by position, of the holders of the decoding set
 */
export function combineBlock(
  total: BlockTotal,
  limbs: ReadonlyMap<number, readonly Uint32Array[]>,
  { set, committee, parameters, decodingSet }: Decoding,
): BigUint64Array {
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
    for (const [index, share] of shares.entries()) {
      const weight = weights[index]! * double;
      const source = share[limb]!;
      for (let i = 0; i < used; i++) sum[i]! += weight * source[i]!;
    }
    return sum;
  });
  const biases = sums.reduce((all, _, limb) => all + (BigInt(bias) << BigInt(32 * limb)), 0n);
  const offset = residueWords(-(biases << BigInt(shift)), set);
  const scale = committee.L1 * decodingSet.scale;
  const fold = modulusFold(set);
  const combined = new BigUint64Array(total.length);
  const wide = wideInteger();
  for (let i = 0, at = 0; i < used; i++, at += COMPOSED_WORDS) {
    placeLimbs(sums, i, shift, wide);
    addProduct(wide.words, total, at, scale, offset);
    reduceInto(combined, at, wide.words, fold);
  }
  return combined;
}

/** words += scale·(three words of total) + offset, four words without overflow: all together stay below 2^244. */
function addProduct(
  words: BigUint64Array,
  total: BlockTotal,
  at: number,
  scale: bigint,
  [o0, o1, o2]: readonly [bigint, bigint, bigint],
): void {
  const t0 = BigInt.asUintN(64, total[at]!);
  const t1 = BigInt.asUintN(64, total[at + 1]!);
  const t2 = BigInt.asUintN(64, total[at + 2]!);
  // A product of a word and a scale below 2^63 leaves room in its upper word for a carry of one.
  const p0 = BigInt.asUintN(64, t0 * scale);
  const h0 = multiplyHigh(t0, scale);
  const l1 = BigInt.asUintN(64, t1 * scale);
  const p1 = BigInt.asUintN(64, l1 + h0);
  const h1 = BigInt.asUintN(64, multiplyHigh(t1, scale) + (p1 < h0 ? 1n : 0n));
  const l2 = BigInt.asUintN(64, t2 * scale);
  const p2 = BigInt.asUintN(64, l2 + h1);
  const p3 = BigInt.asUintN(64, multiplyHigh(t2, scale) + (p2 < h1 ? 1n : 0n));
  addWords(words, p0, p1, p2, p3);
  addWords(words, o0, o1, o2, 0n);
}

function addWords(words: BigUint64Array, a0: bigint, a1: bigint, a2: bigint, a3: bigint): void {
  const s0 = BigInt.asUintN(64, BigInt.asUintN(64, words[0]!) + a0);
  const c0 = s0 < a0 ? 1n : 0n;
  const m1 = BigInt.asUintN(64, BigInt.asUintN(64, words[1]!) + a1);
  const s1 = BigInt.asUintN(64, m1 + c0);
  const c1 = m1 < a1 || s1 < m1 ? 1n : 0n;
  const m2 = BigInt.asUintN(64, BigInt.asUintN(64, words[2]!) + a2);
  const s2 = BigInt.asUintN(64, m2 + c1);
  const c2 = m2 < a2 || s2 < m2 ? 1n : 0n;
  words[0] = s0;
  words[1] = s1;
  words[2] = s2;
  words[3] = BigInt.asUintN(64, BigInt.asUintN(64, BigInt.asUintN(64, words[3]!) + a3) + c2);
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
export function roundBlock(combined: BigUint64Array, decoding: Decoding): BigUint64Array | undefined {
  const { set, committee, decodingSet } = decoding;
  const t = set.plainModulus;
  const [q0, q1, q2] = wordsOf(set.modulus);
  const limit = (noiseLimit(decoding) * t) / 2n;
  const [l0, l1, l2] = wordsOf(limit);
  const [n0, n1, n2] = wordsOf(set.modulus - limit);
  // t·x/q from the top 64 of the 180 bits of x: too small by less than two.
  const ratio = (t << BigInt(MODULUS_BITS)) / set.modulus;
  const { factor, quotient } = multiplier(inverse(committee.L1 * decodingSet.scale, t), t);
  const message = new BigUint64Array(combined.length / COMPOSED_WORDS);
  for (let i = 0, at = 0; i < message.length; i++, at += COMPOSED_WORDS) {
    const x0 = BigInt.asUintN(64, combined[at]!);
    const x1 = BigInt.asUintN(64, combined[at + 1]!);
    const x2 = BigInt.asUintN(64, combined[at + 2]!);
    const upper = BigInt.asUintN(64, BigInt.asUintN(64, x2 << 12n) | BigInt.asUintN(64, x1 >> 52n));
    let m = multiplyHigh(upper, ratio);
    // d = t·x − q·m, which is below 2^192.
    const a0 = BigInt.asUintN(64, x0 * t);
    const a1 = BigInt.asUintN(64, BigInt.asUintN(64, x1 * t) + multiplyHigh(x0, t));
    const a1Carry = a1 < BigInt.asUintN(64, x1 * t) ? 1n : 0n;
    const a2 = BigInt.asUintN(64, BigInt.asUintN(64, BigInt.asUintN(64, x2 * t) + multiplyHigh(x1, t)) + a1Carry);
    const b0 = BigInt.asUintN(64, q0 * m);
    const b1 = BigInt.asUintN(64, BigInt.asUintN(64, q1 * m) + multiplyHigh(q0, m));
    const b1Carry = b1 < BigInt.asUintN(64, q1 * m) ? 1n : 0n;
    const b2 = BigInt.asUintN(64, BigInt.asUintN(64, BigInt.asUintN(64, q2 * m) + multiplyHigh(q1, m)) + b1Carry);
    let d0 = BigInt.asUintN(64, a0 - b0);
    const borrow0 = a0 < b0 ? 1n : 0n;
    const middle = BigInt.asUintN(64, a1 - b1);
    let d1 = BigInt.asUintN(64, middle - borrow0);
    const borrow1 = a1 < b1 || middle < borrow0 ? 1n : 0n;
    let d2 = BigInt.asUintN(64, BigInt.asUintN(64, a2 - b2) - borrow1);
    while (d2 > q2 || (d2 === q2 && (d1 > q1 || (d1 === q1 && d0 >= q0)))) {
      const s0 = BigInt.asUintN(64, d0 - q0);
      const c0 = d0 < q0 ? 1n : 0n;
      const s1 = BigInt.asUintN(64, d1 - q1);
      const c1 = d1 < q1 || s1 < c0 ? 1n : 0n;
      d0 = s0;
      d1 = BigInt.asUintN(64, s1 - c0);
      d2 = BigInt.asUintN(64, BigInt.asUintN(64, d2 - q2) - c1);
      m = BigInt.asUintN(64, m + 1n);
    }
    const below = d2 < l2 || (d2 === l2 && (d1 < l1 || (d1 === l1 && d0 <= l0)));
    if (!below) {
      // 0 ≤ q − d ≤ limit: the nearest integer is the next one.
      if (d2 < n2 || (d2 === n2 && (d1 < n1 || (d1 === n1 && d0 < n0)))) return undefined;
      m = BigInt.asUintN(64, m + 1n);
    }
    message[i] = multiplyBy(m, factor, quotient, t);
  }
  return message;
}
