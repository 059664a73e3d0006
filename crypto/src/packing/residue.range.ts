import type { ParameterSet } from '../ring/parameter.set.js';

/** The largest coefficient that truncation can give: ⌊(q−1)/2^dropped⌋. */
export function largestTruncated(set: ParameterSet, droppedBits: number): bigint {
  return (set.modulus - 1n) >> BigInt(droppedBits);
}

/** Coefficient `index` as an integer. */
export function integerAt(limbs: readonly Uint32Array[], index: number): bigint {
  return limbs.reduceRight((value, limb) => (value << 32n) | BigInt(limb[index]!), 0n);
}
