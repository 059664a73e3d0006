import type { ParameterSet } from '../ring/parameter.set.js';

/** What truncation can give: 0 … ⌊(q−1)/2^dropped⌋. */
export interface TruncatedRange {
  largest: bigint;
}

export function truncatedRange(set: ParameterSet, droppedBits: number): TruncatedRange {
  return { largest: (set.modulus - 1n) >> BigInt(droppedBits) };
}

/** Coefficient `index` as an integer. */
export function integerAt(limbs: readonly Uint32Array[], index: number): bigint {
  return limbs.reduceRight((value, limb) => (value << 32n) | BigInt(limb[index]!), 0n);
}
