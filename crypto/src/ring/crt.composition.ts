import type { ParameterSet } from './parameter.set.js';
import type { RingElement } from './ring.element.js';
import { inverse, multiplier, multiplyBy, multiplyHigh } from './word.arithmetic.js';

/** 64-bit words of one composed coefficient: q of three 60-bit primes has 180 bits. */
export const COMPOSED_WORDS = 3;

/** Precomputed Garner constants (Knuth, TAOCP 4.3.2) for three primes of equal bit length. */
interface Garner {
  primes: [bigint, bigint, bigint];
  first2: ReturnType<typeof multiplier>;
  first3: ReturnType<typeof multiplier>;
  second3: ReturnType<typeof multiplier>;
}

const prepared = new Map<string, Garner>();

function garner(set: ParameterSet): Garner {
  const known = prepared.get(set.name);
  if (known !== undefined) return known;
  const [p1, p2, p3] = set.dataPrimes as readonly [bigint, bigint, bigint];
  const made: Garner = {
    primes: [p1, p2, p3],
    first2: multiplier(inverse(p1, p2), p2),
    first3: multiplier(inverse(p1, p3), p3),
    second3: multiplier(inverse(p2, p3), p3),
  };
  prepared.set(set.name, made);
  return made;
}

/** a − b mod prime for words below twice the prime. */
function subtract(a: bigint, b: bigint, prime: bigint): bigint {
  const x = a >= prime ? BigInt.asUintN(64, a - prime) : a;
  const y = b >= prime ? BigInt.asUintN(64, b - prime) : b;
  return x >= y ? BigInt.asUintN(64, x - y) : BigInt.asUintN(64, BigInt.asUintN(64, x + prime) - y);
}

/** The first `count` coefficients as integers in [0, q): three little-endian 64-bit words each, coefficient-major. */
export function compose(element: RingElement, set: ParameterSet, count = set.degree): BigUint64Array {
  const { degree } = set;
  const { primes, first2, first3, second3 } = garner(set);
  const [p1, p2, p3] = primes;
  const { factor: f2, quotient: q2 } = first2;
  const { factor: f3, quotient: q3 } = first3;
  const { factor: s3, quotient: t3 } = second3;
  const words = new BigUint64Array(count * COMPOSED_WORDS);
  for (let i = 0, out = 0; i < count; i++, out += COMPOSED_WORDS) {
    const d1 = BigInt.asUintN(64, element[i]!);
    const d2 = multiplyBy(subtract(BigInt.asUintN(64, element[i + degree]!), d1, p2), f2, q2, p2);
    const r3 = multiplyBy(subtract(BigInt.asUintN(64, element[i + 2 * degree]!), d1, p3), f3, q3, p3);
    const d3 = multiplyBy(subtract(r3, d2, p3), s3, t3, p3);
    // value = d1 + p1·(d2 + p2·d3), carried through 64-bit words.
    const inner = BigInt.asUintN(64, BigInt.asUintN(64, p2 * d3) + d2);
    const innerHigh = BigInt.asUintN(64, multiplyHigh(p2, d3) + (inner < d2 ? 1n : 0n));
    const low = BigInt.asUintN(64, BigInt.asUintN(64, p1 * inner) + d1);
    const carry = BigInt.asUintN(64, multiplyHigh(p1, inner) + (low < d1 ? 1n : 0n));
    const middle = BigInt.asUintN(64, BigInt.asUintN(64, p1 * innerHigh) + carry);
    words[out] = low;
    words[out + 1] = middle;
    words[out + 2] = BigInt.asUintN(64, multiplyHigh(p1, innerHigh) + (middle < carry ? 1n : 0n));
  }
  return words;
}

/** Drops the low `dropped` bits of each composed coefficient (floor) and gives the next `kept` bits as 32-bit limbs, limb by limb. */
export function truncatedLimbs(composed: BigUint64Array, dropped: number, kept: number): Uint32Array[] {
  const halves = new Uint32Array(composed.buffer, composed.byteOffset, composed.length * 2);
  const perCoefficient = COMPOSED_WORDS * 2;
  const count = composed.length / COMPOSED_WORDS;
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
