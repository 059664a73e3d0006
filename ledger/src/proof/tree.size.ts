const LARGEST = (1n << 64n) - 1n;

/** Sizes and indexes travel as unsigned 64-bit integers; whatever is outside cannot come from a tree. */
export function isTreeSize(value: bigint): boolean {
  return value >= 0n && value <= LARGEST;
}
