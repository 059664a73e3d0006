import { composedAt, MODULUS_BITS, wordsOf } from './composed.words.js';
import type { ParameterSet } from './parameter.set.js';

/*
 * Sums of 32-bit limbs in doubles: exact below 2^53, and additions and small multiples of whole vectors need no carry. An integer is Σ limb_l·2^(32·l);
 * its limbs stand in arrays of their own, so that one operation runs through one array.
 */

const HALF = 2 ** 32;
const HALVES = 8;
/** 64-bit words of one wide integer. */
export const WIDE_WORDS = HALVES / 2;

interface Carrying {
  carries: Float64Array;
  below: Uint32Array;
  bits: number;
}

interface Scratch extends Omit<Carrying, 'bits'> {
  words: BigUint64Array;
  halves: Uint32Array;
}

let scratch: Scratch | undefined;

/** Memory of the last call, where it has the right size: a block needs as much as the one before, and collecting it costs more than the work. */
function scratchOf(count: number): Scratch {
  if (scratch?.carries.length === count) return scratch;
  const halves = new Uint32Array(count * HALVES);
  const words = new BigUint64Array(halves.buffer);
  return (scratch = { words, halves, carries: new Float64Array(count), below: new Uint32Array(count) });
}

/**
 * 2^shift·Σ limbs[l]·2^(32·l) for each coefficient, in four 64-bit words; for non-negative limbs below 2^52 and results below 2^256. The words are good until
 * the next call.
 */
export function placeLimbs(limbs: readonly Float64Array[], shift: number): BigUint64Array {
  const count = limbs[0]!.length;
  const skip = shift >>> 5;
  const bits = shift & 31;
  const { words, halves, carries, below } = scratchOf(count);
  for (const memory of [halves, carries, below]) memory.fill(0);
  // Two limbs above the last one take its carry, and what the shift moves across.
  for (let l = 0; l < limbs.length + 2 && skip + l < HALVES; l++) placeLimb(limbs[l], { carries, below, bits }, halves, skip + l);
  return words;
}

function placeLimb(limb: Float64Array | undefined, { carries, below, bits }: Carrying, halves: Uint32Array, at: number): void {
  for (let i = 0, out = at; i < carries.length; i++, out += HALVES) {
    const sum = limb === undefined ? carries[i]! : carries[i]! + limb[i]!;
    const piece = sum >>> 0;
    carries[i] = Math.floor(sum / HALF);
    halves[out] = bits === 0 ? piece : (piece << bits) | (below[i]! >>> (32 - bits));
    below[i] = piece;
  }
}

/**
 * target = 2^shift·Σ limbs[l]·2^(32·l) modulo q, three 64-bit words for each coefficient; for non-negative limbs below 2^52 and integers below 2^20·q. What is
 * above 180 bits is worth E = 2^180 − q times itself, and so few of E are added limb by limb in doubles.
 */
export function reduceSmallMultiples(limbs: readonly Float64Array[], shift: number, set: ParameterSet, target: BigUint64Array): void {
  placeLimbs(limbs, shift);
  const { halves } = scratchOf(limbs[0]!.length);
  const excess = (1n << BigInt(MODULUS_BITS)) - set.modulus;
  const parts = Float64Array.from({ length: 5 }, (_, at) => Number((excess >> BigInt(32 * at)) & 0xffffffffn));
  const out = new Uint32Array(target.buffer, target.byteOffset, target.length * 2);
  const count = limbs[0]!.length;
  let beyond = false;
  for (let i = 0, from = 0, to = 0; i < count; i++, from += HALVES, to += 6) {
    const above = (halves[from + 5]! >>> 20) + halves[from + 6]! * 4096;
    let sum = halves[from]! + above * parts[0]!;
    let carry = Math.floor(sum / HALF);
    out[to] = sum - carry * HALF;
    sum = halves[from + 1]! + above * parts[1]! + carry;
    carry = Math.floor(sum / HALF);
    out[to + 1] = sum - carry * HALF;
    sum = halves[from + 2]! + above * parts[2]! + carry;
    carry = Math.floor(sum / HALF);
    out[to + 2] = sum - carry * HALF;
    sum = halves[from + 3]! + above * parts[3]! + carry;
    carry = Math.floor(sum / HALF);
    out[to + 3] = sum - carry * HALF;
    sum = halves[from + 4]! + above * parts[4]! + carry;
    carry = Math.floor(sum / HALF);
    out[to + 4] = sum - carry * HALF;
    const top = (halves[from + 5]! & 0xfffff) + carry;
    out[to + 5] = top;
    if (top >= 0xfffff) beyond = true;
  }
  if (beyond) subtractModulus(target, set);
}

/** Takes q off what is still not below it. */
function subtractModulus(words: BigUint64Array, { modulus }: ParameterSet): void {
  for (let index = 0; index * 3 < words.length; index++) {
    const value = composedAt(words, index);
    if (value >= modulus) words.set(wordsOf(value - modulus), index * 3);
  }
}
