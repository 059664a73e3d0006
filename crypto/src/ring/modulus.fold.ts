import { COMPOSED_WORDS } from './crt.composition.js';
import type { ParameterSet } from './parameter.set.js';
import { multiplyHigh } from './word.arithmetic.js';

/*
 * Integers modulo q as three 64-bit words. q is 2^180 − E with E below 2^139 in every set, so what stands above bit 180 is worth E times
 * itself, and two such folds with one subtraction reduce anything below 2^244 without a division.
 */

const WORD = (1n << 64n) - 1n;
const TOP = (1n << 52n) - 1n;

/** Words of q and of E, lowest first. */
export interface ModulusFold {
  q: readonly [bigint, bigint, bigint];
  excess: readonly [bigint, bigint, bigint];
}

export const MODULUS_BITS = 180;
/** What {@link reduceInto} takes is below 2^REDUCIBLE_BITS. */
export const REDUCIBLE_BITS = 244;

export const wordsOf = (value: bigint): [bigint, bigint, bigint] => [value & WORD, (value >> 64n) & WORD, (value >> 128n) & WORD];

export function modulusFold({ modulus }: ParameterSet): ModulusFold {
  return { q: wordsOf(modulus), excess: wordsOf((1n << BigInt(MODULUS_BITS)) - modulus) };
}

/** target[at … at+3) = the four words of `value`, lowest first, modulo q; for a value below 2^244. */
export function reduceInto(target: BigUint64Array, at: number, value: BigUint64Array, fold: ModulusFold): void {
  const [e0, e1, e2] = fold.excess;
  let low = BigInt.asUintN(64, value[0]!);
  let middle = BigInt.asUintN(64, value[1]!);
  let top = BigInt.asUintN(64, value[2]!);
  let above = BigInt.asUintN(64, BigInt.asUintN(64, value[3]!) << 12n) | BigInt.asUintN(64, top >> 52n);
  while (above !== 0n) {
    top = BigInt.asUintN(64, top & TOP);
    // value = low 180 bits + above·E, at most 2^203 after the first and below 2q after the second time.
    const p0 = BigInt.asUintN(64, above * e0);
    const h0 = multiplyHigh(above, e0);
    const p1 = BigInt.asUintN(64, above * e1);
    const h1 = multiplyHigh(above, e1);
    const p2 = BigInt.asUintN(64, above * e2);
    const h2 = multiplyHigh(above, e2);
    low = BigInt.asUintN(64, low + p0);
    let carry = low < p0 ? 1n : 0n;
    middle = BigInt.asUintN(64, middle + carry);
    carry = middle < carry ? 1n : 0n;
    middle = BigInt.asUintN(64, middle + h0);
    if (middle < h0) carry = BigInt.asUintN(64, carry + 1n);
    middle = BigInt.asUintN(64, middle + p1);
    if (middle < p1) carry = BigInt.asUintN(64, carry + 1n);
    // Each addend below 2^63 or so small that the fourth word takes all carries.
    let fourth = h2;
    top = BigInt.asUintN(64, top + carry);
    top = BigInt.asUintN(64, top + h1);
    if (top < h1) fourth = BigInt.asUintN(64, fourth + 1n);
    top = BigInt.asUintN(64, top + p2);
    if (top < p2) fourth = BigInt.asUintN(64, fourth + 1n);
    above = BigInt.asUintN(64, BigInt.asUintN(64, fourth << 12n) | BigInt.asUintN(64, top >> 52n));
  }
  const [q0, q1, q2] = fold.q;
  if (top > q2 || (top === q2 && (middle > q1 || (middle === q1 && low >= q0)))) {
    const b0 = low < q0 ? 1n : 0n;
    low = BigInt.asUintN(64, low - q0);
    const m = BigInt.asUintN(64, middle - q1);
    const b1 = middle < q1 || m < b0 ? 1n : 0n;
    middle = BigInt.asUintN(64, m - b0);
    top = BigInt.asUintN(64, BigInt.asUintN(64, top - q2) - b1);
  }
  target[at] = low;
  target[at + 1] = middle;
  target[at + 2] = top;
}

/** An integer modulo q as three words. */
export function residueWords(value: bigint, { modulus }: ParameterSet): [bigint, bigint, bigint] {
  const rest = value % modulus;
  return wordsOf(rest < 0n ? rest + modulus : rest);
}

/** The integer of coefficient `index` of composed words. */
export function composedAt(words: BigUint64Array, index: number): bigint {
  const at = index * COMPOSED_WORDS;
  return words[at]! | (words[at + 1]! << 64n) | (words[at + 2]! << 128n);
}

/** True when each composed coefficient is below q. */
export function isReduced(words: BigUint64Array, set: ParameterSet): boolean {
  const [q0, q1, q2] = wordsOf(set.modulus);
  for (let at = 0; at < words.length; at += COMPOSED_WORDS) {
    const top = words[at + 2]!;
    if (top > q2 || (top === q2 && (words[at + 1]! > q1 || (words[at + 1] === q1 && words[at]! >= q0)))) return false;
  }
  return true;
}
