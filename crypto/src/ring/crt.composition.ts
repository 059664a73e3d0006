import { limbFactor, multiplyAdd, type LimbFactor, type LimbVectors } from './limb.vectors.js';
import type { ParameterSet, ParameterSetName } from './parameter.set.js';
import type { RingElement } from './ring.element.js';
import { inverse, multiplier, multiplyHigh } from './word.arithmetic.js';

/** 64-bit words of one composed coefficient: q of three 60-bit primes has 180 bits. */
export const COMPOSED_WORDS = 3;

/** A multiple of the prime, then factor, quotient and prime of Shoup's multiplication. */
type DifferenceFactor = BigUint64Array;

/** Precomputed Garner constants (Knuth, TAOCP 4.3.2) for three primes of equal bit length. */
interface Garner {
  first2: DifferenceFactor;
  first3: DifferenceFactor;
  second3: DifferenceFactor;
  /** p1, and p1·p2 in two limbs. */
  prime1: LimbFactor;
  product: [LimbFactor, LimbFactor];
}

const prepared = new Map<ParameterSetName, Garner>();

function differenceFactor(times: bigint, value: bigint, prime: bigint): DifferenceFactor {
  const { factor, quotient } = multiplier(inverse(value, prime), prime);
  return BigUint64Array.of(times * prime, factor, quotient, prime);
}

function garner(set: ParameterSet): Garner {
  const known = prepared.get(set.name);
  if (known !== undefined) return known;
  const [p1, p2, p3] = set.dataPrimes as readonly [bigint, bigint, bigint];
  const product = p1 * p2;
  const made: Garner = {
    first2: differenceFactor(2n, p1, p2),
    first3: differenceFactor(2n, p1, p3),
    second3: differenceFactor(3n, p2, p3),
    prime1: limbFactor(p1),
    product: [limbFactor(product & ((1n << 60n) - 1n)), limbFactor(product >> 60n)],
  };
  prepared.set(set.name, made);
  return made;
}

/** target[i] ≡ (x[i] − y[i])·factor modulo the prime, below twice it; the multiple of the prime keeps the difference positive. */
function differenceTimes(target: BigUint64Array, x: BigUint64Array, y: BigUint64Array, by: DifferenceFactor, count: number): void {
  for (let i = 0; i < count; i++) {
    const raised = BigInt.asUintN(64, BigInt.asUintN(64, x[i]!) + BigInt.asUintN(64, by[0]!));
    const difference = BigInt.asUintN(64, raised - BigInt.asUintN(64, y[i]!));
    const product = BigInt.asUintN(64, difference * BigInt.asUintN(64, by[1]!));
    const multiple = BigInt.asUintN(64, multiplyHigh(difference, BigInt.asUintN(64, by[2]!)) * BigInt.asUintN(64, by[3]!));
    target[i] = BigInt.asUintN(64, product - multiple);
  }
}

const digits = new Map<ParameterSetName, [BigUint64Array, BigUint64Array]>();

/**
 * The first `count` coefficients as integers, modulo q but not below it: some of these limbs need {@link reduceLimbs}, and may have 12 values below 2^180
 * added before.
 */
export function composeLimbs(element: RingElement, set: ParameterSet, target: LimbVectors, count: number): void {
  const { degree } = set;
  const { first2, first3, second3, prime1, product } = garner(set);
  let scratch = digits.get(set.name);
  if (scratch === undefined) digits.set(set.name, (scratch = [new BigUint64Array(degree), new BigUint64Array(degree)]));
  const [second, third] = scratch;
  const [r1, r2, r3] = [0, 1, 2].map((prime) => element.subarray(prime * degree, (prime + 1) * degree)) as [
    RingElement,
    RingElement,
    RingElement,
  ];
  // Digits below twice their prime will do: a value is then below 3·q.
  differenceTimes(second, r2, r1, first2, count);
  differenceTimes(third, r3, r1, first3, count);
  differenceTimes(third, third, second, second3, count);
  target.low.set(r1.subarray(0, count));
  target.middle.fill(0n, 0, count);
  target.top.fill(0n, 0, count);
  multiplyAdd(second, prime1, target.low, target.middle, count);
  multiplyAdd(third, product[0], target.low, target.middle, count);
  multiplyAdd(third, product[1], target.middle, target.top, count);
  second.fill(0n);
  third.fill(0n);
}

/** Drops the low `dropped` bits of each of the first `count` composed coefficients (floor) and gives the next `kept` bits as 32-bit limbs, limb by limb. */
export function truncatedLimbs(composed: BigUint64Array, count: number, dropped: number, kept: number): Uint32Array[] {
  const halves = new Uint32Array(composed.buffer, composed.byteOffset, composed.length * 2);
  const perCoefficient = COMPOSED_WORDS * 2;
  const skip = dropped >>> 5;
  const shift = dropped & 31;
  return Array.from({ length: Math.ceil(kept / 32) }, (_, limb) => {
    const values = new Uint32Array(count);
    const mask = (2 ** Math.min(32, kept - 32 * limb) - 1) >>> 0;
    const hasHigher = shift !== 0 && skip + limb + 1 < perCoefficient;
    for (let i = 0, at = skip + limb; i < count; i++, at += perCoefficient) {
      const low = halves[at]! >>> shift;
      values[i] = (hasHigher ? low | (halves[at + 1]! << (32 - shift)) : low) & mask;
    }
    return values;
  });
}
