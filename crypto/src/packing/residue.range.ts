import type { ParameterSet } from '../ring/parameter.set.js';
import { limbCount } from './bit.planes.js';

/**
 * What truncation can give: 0 … ⌊(q−1)/2^dropped⌋. As q is a little below a power of two (2^180 − 2^138 or so), a coefficient beyond it starts with many ones.
 * One look at its first whole limb sorts out nearly all others: one in 2^32 is full of ones by chance.
 */
export interface TruncatedRange {
  largest: bigint;
  /** The limb to look at and its least suspicious value; undefined where every value of so many bits is in range. */
  filter?: { limb: number; least: number };
}

export function truncatedRange(set: ParameterSet, droppedBits: number): TruncatedRange {
  const largest = (set.modulus - 1n) >> BigInt(droppedBits);
  const bits = largest.toString(2).length;
  if (largest === 2n ** BigInt(bits) - 1n) return { largest };
  for (let limb = limbCount(bits) - 1; limb >= 0; limb--) {
    const least = Number((largest >> BigInt(32 * limb)) & 0xffffffffn);
    const width = Math.min(32, bits - 32 * limb);
    // Below limbs that are full of ones in the limit, so in whatever is beyond it.
    if (width === 32 || least !== 2 ** width - 1) return { largest, filter: { limb, least } };
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
