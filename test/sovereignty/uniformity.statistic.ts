const VALUES = 256;

/**
 * How far the bytes are from uniform: Pearson's chi-square over the 256 byte values, as a distance from its mean in standard deviations (255 degrees of
 * freedom: mean 255, variance 510). Random bytes stay below 6 except once in 10⁸; a biased bit in a hundred, or plain numbers, go far beyond.
 */
export function uniformityDistance(bytes: Uint8Array): number {
  const counts = new Float64Array(VALUES);
  for (const byte of bytes) counts[byte]!++;
  const expected = bytes.length / VALUES;
  const chiSquare = counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
  return Math.abs(chiSquare - (VALUES - 1)) / Math.sqrt(2 * (VALUES - 1));
}

/** The same over pairs of neighbours' differences: catches bytes that are uniform one by one but follow each other. */
export function neighbourDistance(bytes: Uint8Array): number {
  return uniformityDistance(bytes.slice(1).map((byte, index) => byte - bytes[index]!));
}
