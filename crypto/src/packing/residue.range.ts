import type { ParameterSet } from '../ring/parameter.set.js';
import { limbCount } from './bit.planes.js';

/**
 * What truncation can give: 0 … ⌊(q−1)/2^dropped⌋. As q is a little below a power of two, a coefficient beyond it starts with many ones, and one look at the
 * 32-bit limb in which the limit has its first zero sorts out nearly all others.
 */
export interface TruncatedRange {
  largest: bigint;
  /** The limb to look at and its least suspicious value; undefined where every value of so many bits is in range. */
  filter?: { limb: number; least: number };
}

export function truncatedRange(set: ParameterSet, droppedBits: number): TruncatedRange {
  const largest = (set.modulus - 1n) >> BigInt(droppedBits);
  const bits = largest.toString(2).length;
  for (let limb = limbCount(bits) - 1; limb >= 0; limb--) {
    const least = Number((largest >> BigInt(32 * limb)) & 0xffffffffn);
    if (least !== 2 ** Math.min(32, bits - 32 * limb) - 1) return { largest, filter: { limb, least } };
  }
  return { largest };
}

/** Coefficient `index` as an integer. */
export function integerAt(limbs: readonly Uint32Array[], index: number): bigint {
  return limbs.reduceRight((value, limb) => (value << 32n) | BigInt(limb[index]!), 0n);
}

/** Position of the first coefficient that no truncation gives, or −1. */
export function firstBeyond(limbs: readonly Uint32Array[], { largest, filter }: TruncatedRange): number {
  if (filter === undefined) return -1;
  const { least } = filter;
  const suspicious = limbs[filter.limb]!;
  for (let i = 0; i < suspicious.length; i++) {
    if (suspicious[i]! >= least && integerAt(limbs, i) > largest) return i;
  }
  return -1;
}
