import { composedAt, MODULUS_BITS, wordsOf } from './composed.words.js';
import { COMPOSED_WORDS } from './crt.composition.js';
import type { ParameterSet, ParameterSetName } from './parameter.set.js';

/*
 * Sums of 32-bit limbs in doubles, put together, shifted and reduced. This is done once for each block whatever the number of uploads, so it is what keeps small
 * sums from the speed of large ones.
 *
 * A result is six halves of 32 bits. Where 96 bits or more are dropped, the three lower ones hold nothing of the sum itself. Limbs are carried in doubles, one
 * after the other; what follows, for all halves of a coefficient at once, is 32-bit integers alone: with doubles it took twice as long (measured on Node 24).
 */

const PER_HALF = 2 ** -32;
const LOWER = 3;
/** Bits of q in its highest half. */
const TOP_BITS = MODULUS_BITS % 32;
const TOP_MASK = 2 ** TOP_BITS - 1;

/** Multiples of E = 2^180 − q that are kept: as many as a sum of so many uploads needs. Larger ones are worked out in integers. */
const MULTIPLES = 1024;
/** Halves of one of them. */
const MULTIPLE_HALVES = 5;

const known = new Map<ParameterSetName, Int32Array>();

const excessOf = ({ modulus }: ParameterSet): bigint => (1n << BigInt(MODULUS_BITS)) - modulus;

function multiplesOf(set: ParameterSet): Int32Array {
  const ready = known.get(set.name);
  if (ready !== undefined) return ready;
  const excess = excessOf(set);
  const multiples = Int32Array.from({ length: MULTIPLES * MULTIPLE_HALVES }, (_, at) =>
    Number(BigInt.asIntN(32, (excess * BigInt(Math.floor(at / MULTIPLE_HALVES))) >> BigInt(32 * (at % MULTIPLE_HALVES)))),
  );
  known.set(set.name, multiples);
  return multiples;
}

/** The 32-bit halves of one integer after the other, before the shift within a half; the seventh is what is above bit 192. */
type Halves = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

interface Scratch {
  zeros: Float64Array;
  carries: Float64Array;
  halves: Halves;
}

let scratch: Scratch | undefined;

/** Memory of the last call, where it has the right size: a block needs as much as the one before, and collecting it costs more than the work. */
function scratchOf(count: number): Scratch {
  if (scratch?.carries.length === count) return scratch;
  const half = (): Int32Array => new Int32Array(count);
  const halves: Halves = [half(), half(), half(), half(), half(), half(), half()];
  return (scratch = { zeros: new Float64Array(count), carries: new Float64Array(count), halves });
}

/** Stands for 2^shift·(factor·x + start). */
export interface Multiple {
  factor: number;
  start: number;
  shift: number;
}

/**
 * target = 2^shift·(factor·Σ limbs[l]·2^(32·l) + start) modulo q, three 64-bit words for each coefficient, of which there are as many as fit into it; limbs may be
 * longer. For limbs that are whole and not negative, with factor·limb + start below 2^52, and integers below 2^20·q whose highest limb begins below bit 192.
 */
export function reduceSum(
  limbs: readonly Float64Array[],
  { factor, start, shift }: Multiple,
  set: ParameterSet,
  target: BigUint64Array,
): void {
  const { zeros, carries, halves } = scratchOf(target.length / COMPOSED_WORDS);
  const skip = shift >>> 5;
  carries.fill(start);
  for (const [half, pieces] of halves.entries()) {
    if (half >= skip) carryLimb(limbs[half - skip] ?? zeros, factor, carries, pieces);
    else if (half >= LOWER || skip < LOWER) pieces.fill(0);
  }
  placeHalves(halves, { bits: shift & 31, lowerAreZero: skip >= LOWER }, set, target);
}

function carryLimb(limb: Float64Array, factor: number, carries: Float64Array, pieces: Int32Array): void {
  for (let i = 0; i < pieces.length; i++) {
    const sum = limb[i]! * factor + carries[i]!;
    pieces[i] = sum | 0;
    carries[i] = Math.floor(sum * PER_HALF);
  }
}

function placeHalves(halves: Halves, { bits, lowerAreZero }: Placing, set: ParameterSet, target: BigUint64Array): void {
  const [, , half2, half3, half4, half5, half6] = halves;
  const multiples = multiplesOf(set);
  const out = new Int32Array(target.buffer, target.byteOffset, target.length * 2);
  // What a shift moves into the next half, in two steps: one by 32 bits would move nothing.
  const rest = 31 - bits;
  for (let i = 0, to = 0; i < half3.length; i++, to += 6) {
    const piece3 = half3[i]!;
    const piece4 = half4[i]!;
    const piece5 = half5[i]!;
    const highest = (piece5 << bits) | ((piece4 >>> 1) >>> rest);
    const above = (highest >>> TOP_BITS) | (((half6[i]! << bits) | ((piece5 >>> 1) >>> rest)) << (32 - TOP_BITS));
    const kept = above < MULTIPLES;
    const at = kept ? above * MULTIPLE_HALVES : 0;
    let own = piece3 << bits;
    let carry = 0;
    if (lowerAreZero) {
      out[to] = multiples[at]!;
      out[to + 1] = multiples[at + 1]!;
      out[to + 2] = multiples[at + 2]!;
    } else {
      carry = addLower(halves, { i, bits, at, to }, multiples, out);
      own |= (half2[i]! >>> 1) >>> rest;
    }
    let more = multiples[at + 3]!;
    let sum = (own + more + carry) | 0;
    out[to + 3] = sum;
    carry = carryOf(own, more, sum);
    own = (piece4 << bits) | ((piece3 >>> 1) >>> rest);
    more = multiples[at + 4]!;
    sum = (own + more + carry) | 0;
    out[to + 4] = sum;
    const top = (highest & TOP_MASK) + carryOf(own, more, sum);
    out[to + 5] = top;
    if (top >= TOP_MASK || !kept) settle(target, i, kept ? 0 : above, set);
  }
}

interface Placing {
  /** Shift of every half. */
  bits: number;
  lowerAreZero: boolean;
}

/** The carry out of bit 31 of sum = a + b, with or without one more. */
const carryOf = (a: number, b: number, sum: number): number => ((a & b) | ((a | b) & ~sum)) >>> 31;

/** The three lower halves of coefficient i; returns what they carry. */
function addLower(
  halves: Halves,
  { i, bits, at, to }: { i: number; bits: number; at: number; to: number },
  multiples: Int32Array,
  out: Int32Array,
): number {
  let carry = 0;
  let below = 0;
  for (let half = 0; half < LOWER; half++) {
    const piece = halves[half]![i]!;
    const own = (piece << bits) | ((below >>> 1) >>> (31 - bits));
    const more = multiples[at + half]!;
    const sum = (own + more + carry) | 0;
    out[to + half] = sum;
    carry = carryOf(own, more, sum);
    below = piece;
  }
  return carry;
}

/** For the few coefficients that may not be below q yet, or have more above 180 bits than is kept multiples of. */
function settle(words: BigUint64Array, index: number, above: number, set: ParameterSet): void {
  const value = composedAt(words, index) + BigInt(above) * excessOf(set);
  words.set(wordsOf(value % set.modulus), index * COMPOSED_WORDS);
}
