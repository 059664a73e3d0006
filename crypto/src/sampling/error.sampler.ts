import { randomBytes } from 'node:crypto';

/** Largest encryption error: the centred binomial distribution over 21 + 21 bits, as SEAL's (σ = 3.24). */
export const MAX_ERROR = 21;
const HALF_MASK = (1 << MAX_ERROR) - 1;

function bitCount(value: number): number {
  let v = value - ((value >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** N errors in [−21, 21] from the operating system's CSPRNG. */
export function sampleErrors(degree: number): Int8Array {
  const bytes = new Uint8Array(randomBytes(degree * 8));
  const draws = new Uint32Array(bytes.buffer);
  const errors = new Int8Array(degree);
  for (let i = 0; i < degree; i++) errors[i] = bitCount(draws[2 * i]! & HALF_MASK) - bitCount(draws[2 * i + 1]! & HALF_MASK);
  bytes.fill(0);
  return errors;
}
