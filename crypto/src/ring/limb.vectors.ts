import type { ParameterSet, ParameterSetName } from './parameter.set.js';
import { multiplyHigh } from './word.arithmetic.js';

/*
 * Vectors of integers modulo q, as three limbs of 60 bits in arrays of their own. q is 2^180 − E with E below 2^139 in every set: three limbs hold a residue, four
 * spare bits of each word hold the carries of a few additions, and what stands above the third limb is worth E times itself.
 *
 * Each function is one loop with at most one wide product. That is on purpose: V8 keeps 64-bit BigInts in registers only in code that it has inlined as a
 * whole, and a second inlined product exceeds its budget (measured on Node 24: 4.5 ns a product alone, above 40 in twos). For the same reason
 * constants come out of typed arrays, and carries out of shifts: an unpredictable comparison costs more than the product.
 */

const MASK = (1n << 60n) - 1n;

export interface LimbVectors {
  low: BigUint64Array;
  middle: BigUint64Array;
  top: BigUint64Array;
  /** What a value has above its third limb, for functions that make or take wide ones. */
  above: BigUint64Array;
}

export function limbVectors(size: number): LimbVectors {
  const vector = (): BigUint64Array => new BigUint64Array(size);
  return { low: vector(), middle: vector(), top: vector(), above: vector() };
}

export function clearLimbs({ low, middle, top, above }: LimbVectors): void {
  for (const vector of [low, middle, top, above]) vector.fill(0n);
}

/** A constant below 2^60 as {@link multiplyAdd} takes it: the upper word of a product with 16 times it starts at bit 60. */
export type LimbFactor = BigUint64Array;

export function limbFactor(value: bigint): LimbFactor {
  return BigUint64Array.of(value, value << 4n);
}

/** Limbs of a non-negative integer below 2^180. */
export function limbsOf(value: bigint): [bigint, bigint, bigint] {
  return [value & MASK, (value >> 60n) & MASK, value >> 120n];
}

interface SetConstants {
  /** E */
  excess: [LimbFactor, LimbFactor, LimbFactor];
  /** E's limbs, then the top limb of q. */
  fold: BigUint64Array;
}

const prepared = new Map<ParameterSetName, SetConstants>();

function constantsOf({ name, modulus }: ParameterSet): SetConstants {
  const known = prepared.get(name);
  if (known !== undefined) return known;
  const [e0, e1, e2] = limbsOf((1n << 180n) - modulus);
  const made: SetConstants = {
    excess: [limbFactor(e0), limbFactor(e1), limbFactor(e2)],
    fold: BigUint64Array.of(e0, e1, e2, modulus >> 120n),
  };
  prepared.set(name, made);
  return made;
}

/** E = 2^180 − q in limbs. */
export function excessOf(set: ParameterSet): readonly [LimbFactor, LimbFactor, LimbFactor] {
  return constantsOf(set).excess;
}

/** low and high += the 60 lower and the other bits of source·factor, for source below 2^63. */
export function multiplyAdd(source: BigUint64Array, factor: LimbFactor, low: BigUint64Array, high: BigUint64Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const word = BigInt.asUintN(64, source[i]!);
    const product = BigInt.asUintN(64, BigInt.asUintN(64, word * BigInt.asUintN(64, factor[0]!)) & MASK);
    low[i] = BigInt.asUintN(64, BigInt.asUintN(64, low[i]!) + product);
    high[i] = BigInt.asUintN(64, BigInt.asUintN(64, high[i]!) + multiplyHigh(word, BigInt.asUintN(64, factor[1]!)));
  }
}

/** vector[i] += constant */
function addLimb(vector: BigUint64Array, constant: bigint, count: number): void {
  const from = BigUint64Array.of(constant);
  for (let i = 0; i < count; i++) vector[i] = BigInt.asUintN(64, BigInt.asUintN(64, vector[i]!) + BigInt.asUintN(64, from[0]!));
}

/** limbs += value, for a non-negative value below 2^180. */
export function addConstant({ low, middle, top }: LimbVectors, value: bigint, count: number): void {
  const [v0, v1, v2] = limbsOf(value);
  addLimb(low, v0, count);
  addLimb(middle, v1, count);
  addLimb(top, v2, count);
}

/** limbs += integers below 2^192, three 64-bit words each. */
export function addWords({ low, middle, top }: LimbVectors, words: BigUint64Array, count: number): void {
  for (let i = 0, at = 0; i < count; i++, at += 3) {
    const w0 = BigInt.asUintN(64, words[at]!);
    const w1 = BigInt.asUintN(64, words[at + 1]!);
    const w2 = BigInt.asUintN(64, words[at + 2]!);
    low[i] = BigInt.asUintN(64, BigInt.asUintN(64, low[i]!) + BigInt.asUintN(64, w0 & MASK));
    const m = BigInt.asUintN(64, BigInt.asUintN(64, BigInt.asUintN(64, w0 >> 60n) | BigInt.asUintN(64, w1 << 4n)) & MASK);
    middle[i] = BigInt.asUintN(64, BigInt.asUintN(64, middle[i]!) + m);
    const t = BigInt.asUintN(64, BigInt.asUintN(64, w1 >> 56n) | BigInt.asUintN(64, w2 << 8n));
    top[i] = BigInt.asUintN(64, BigInt.asUintN(64, top[i]!) + t);
  }
}

/** limbs = integers below 2^243, four 64-bit words each; what is above 180 bits goes to `above`. */
export function setWords({ low, middle, top, above }: LimbVectors, words: BigUint64Array, count: number): void {
  for (let i = 0, at = 0; i < count; i++, at += 4) {
    const w0 = BigInt.asUintN(64, words[at]!);
    const w1 = BigInt.asUintN(64, words[at + 1]!);
    const w2 = BigInt.asUintN(64, words[at + 2]!);
    low[i] = BigInt.asUintN(64, w0 & MASK);
    middle[i] = BigInt.asUintN(64, BigInt.asUintN(64, BigInt.asUintN(64, w0 >> 60n) | BigInt.asUintN(64, w1 << 4n)) & MASK);
    top[i] = BigInt.asUintN(64, BigInt.asUintN(64, BigInt.asUintN(64, w1 >> 56n) | BigInt.asUintN(64, w2 << 8n)) & MASK);
    above[i] = BigInt.asUintN(64, BigInt.asUintN(64, w2 >> 52n) | BigInt.asUintN(64, BigInt.asUintN(64, words[at + 3]!) << 12n));
  }
}

/** Three 64-bit words for each reduced value. */
export function toWords({ low, middle, top }: LimbVectors, words: BigUint64Array, count: number): void {
  for (let i = 0, at = 0; i < count; i++, at += 3) {
    const m = BigInt.asUintN(64, middle[i]!);
    const t = BigInt.asUintN(64, top[i]!);
    words[at] = BigInt.asUintN(64, BigInt.asUintN(64, low[i]!) | BigInt.asUintN(64, m << 60n));
    words[at + 1] = BigInt.asUintN(64, BigInt.asUintN(64, m >> 4n) | BigInt.asUintN(64, t << 56n));
    words[at + 2] = BigInt.asUintN(64, t >> 8n);
  }
}

/** Carries into the next limb, and out of the third to what is in `above`. */
export function carry({ low, middle, top, above }: LimbVectors, count: number): void {
  for (let i = 0; i < count; i++) {
    const l = BigInt.asUintN(64, low[i]!);
    const m = BigInt.asUintN(64, BigInt.asUintN(64, middle[i]!) + BigInt.asUintN(64, l >> 60n));
    const t = BigInt.asUintN(64, BigInt.asUintN(64, top[i]!) + BigInt.asUintN(64, m >> 60n));
    low[i] = BigInt.asUintN(64, l & MASK);
    middle[i] = BigInt.asUintN(64, m & MASK);
    top[i] = BigInt.asUintN(64, t & MASK);
    above[i] = BigInt.asUintN(64, BigInt.asUintN(64, above[i]!) + BigInt.asUintN(64, t >> 60n));
  }
}

/** Adds above·E to the lower limbs, for `above` below 2^63, and leaves `above` zero. */
function foldAbove(limbs: LimbVectors, { excess }: SetConstants, count: number): void {
  const { low, middle, top, above } = limbs;
  multiplyAdd(above, excess[0], low, middle, count);
  multiplyAdd(above, excess[1], middle, top, count);
  moveTop(above, excess[2], top, count);
}

/** As {@link multiplyAdd} from `above`, whose place the upper part takes: E's third limb has 19 bits, so it is small again. */
function moveTop(above: BigUint64Array, factor: LimbFactor, top: BigUint64Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const word = BigInt.asUintN(64, above[i]!);
    const product = BigInt.asUintN(64, BigInt.asUintN(64, word * BigInt.asUintN(64, factor[0]!)) & MASK);
    top[i] = BigInt.asUintN(64, BigInt.asUintN(64, top[i]!) + product);
    above[i] = multiplyHigh(word, BigInt.asUintN(64, factor[1]!));
  }
}

/** Adds the at most 15 times that a value stands above the third limb, and carries: what is left is below 2^180 + 2^143. */
function foldCarry({ low, middle, top }: LimbVectors, fold: BigUint64Array, count: number): boolean {
  let beyond = false;
  for (let i = 0; i < count; i++) {
    const l = BigInt.asUintN(64, low[i]!);
    let m = BigInt.asUintN(64, BigInt.asUintN(64, middle[i]!) + BigInt.asUintN(64, l >> 60n));
    let t = BigInt.asUintN(64, BigInt.asUintN(64, top[i]!) + BigInt.asUintN(64, m >> 60n));
    const above = BigInt.asUintN(64, t >> 60n);
    const folded = BigInt.asUintN(64, BigInt.asUintN(64, l & MASK) + BigInt.asUintN(64, above * BigInt.asUintN(64, fold[0]!)));
    m = BigInt.asUintN(64, BigInt.asUintN(64, m & MASK) + BigInt.asUintN(64, above * BigInt.asUintN(64, fold[1]!)));
    t = BigInt.asUintN(64, BigInt.asUintN(64, t & MASK) + BigInt.asUintN(64, above * BigInt.asUintN(64, fold[2]!)));
    m = BigInt.asUintN(64, m + BigInt.asUintN(64, folded >> 60n));
    t = BigInt.asUintN(64, t + BigInt.asUintN(64, m >> 60n));
    low[i] = BigInt.asUintN(64, folded & MASK);
    middle[i] = BigInt.asUintN(64, m & MASK);
    top[i] = t;
    if (t >= BigInt.asUintN(64, fold[3]!)) beyond = true;
  }
  return beyond;
}

/** Takes q off what is still not below it: one value in 2^40. */
function subtractModulus({ low, middle, top }: LimbVectors, { modulus }: ParameterSet, count: number): void {
  for (let i = 0; i < count; i++) {
    const value = low[i]! + (middle[i]! << 60n) + (top[i]! << 120n);
    if (value >= modulus) [low[i], middle[i], top[i]] = limbsOf(value - modulus);
  }
}

/** limbs modulo q, for words that have not overflowed; `above` is not looked at. */
export function reduceLimbs(limbs: LimbVectors, set: ParameterSet, count: number): void {
  const { fold } = constantsOf(set);
  if (foldCarry(limbs, fold, count)) subtractModulus(limbs, set, count);
}

/**
 * limbs + above·2^180 modulo q, for `above` below 2^60 and limbs below 2^62; leaves `above` zero. Small ones are gone after one round, and a second one
 * ends in any case: the limbs themselves grow by less than 2^61 in each.
 */
export function reduceWide(limbs: LimbVectors, set: ParameterSet, count: number): void {
  const constants = constantsOf(set);
  foldAbove(limbs, constants, count);
  if (!isZero(limbs.above, count)) foldAbove(limbs, constants, count);
  reduceLimbs(limbs, set, count);
}

function isZero(vector: BigUint64Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (vector[i] !== 0n) return false;
  return true;
}
