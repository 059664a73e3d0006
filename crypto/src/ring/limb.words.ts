/*
 * Sums of 32-bit limbs in doubles: exact below 2^53, and additions and small multiples of whole vectors need no carry. An integer is Σ limb_l·2^(32·l);
 * its limbs stand in arrays of their own, so that one operation runs through one array.
 */

const HALF = 2 ** 32;

/** Eight 32-bit halves of one integer and the same memory as four 64-bit words. */
export interface WideInteger {
  halves: Uint32Array;
  words: BigUint64Array;
}

export function wideInteger(): WideInteger {
  const halves = new Uint32Array(8);
  return { halves, words: new BigUint64Array(halves.buffer) };
}

/** target = 2^shift·Σ limbs[l][index]·2^(32·l), for non-negative limbs below 2^52 and a result below 2^256. */
export function placeLimbs(limbs: readonly Float64Array[], index: number, shift: number, { halves }: WideInteger): void {
  const skip = shift >>> 5;
  const bits = shift & 31;
  halves.fill(0);
  let carry = 0;
  let below = 0;
  for (let at = skip, l = 0; at < 8; at++, l++) {
    if (l < limbs.length) carry += limbs[l]![index]!;
    const piece = carry >>> 0;
    carry = Math.floor(carry / HALF);
    halves[at] = bits === 0 ? piece : (piece << bits) | (below >>> (32 - bits));
    below = piece;
    if (l >= limbs.length && carry === 0 && piece === 0) break;
  }
}
