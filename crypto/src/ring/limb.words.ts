/*
 * Sums of 32-bit limbs in doubles: exact below 2^53, and additions and small multiples of whole vectors need no carry. An integer is Σ limb_l·2^(32·l);
 * its limbs stand in arrays of their own, so that one operation runs through one array.
 */

const HALF = 2 ** 32;
const HALVES = 8;
/** 64-bit words of one wide integer. */
export const WIDE_WORDS = HALVES / 2;

interface Carrying {
  carries: Float64Array;
  below: Uint32Array;
  bits: number;
}

interface Scratch extends Omit<Carrying, 'bits'> {
  words: BigUint64Array;
  halves: Uint32Array;
}

let scratch: Scratch | undefined;

/** Memory of the last call, where it has the right size: a block needs as much as the one before, and collecting it costs more than the work. */
function scratchOf(count: number): Scratch {
  if (scratch?.carries.length === count) return scratch;
  const halves = new Uint32Array(count * HALVES);
  const words = new BigUint64Array(halves.buffer);
  return (scratch = { words, halves, carries: new Float64Array(count), below: new Uint32Array(count) });
}

/**
 * 2^shift·Σ limbs[l]·2^(32·l) for each coefficient, in four 64-bit words; for non-negative limbs below 2^52 and results below 2^256. The words are good until
 * the next call.
 */
export function placeLimbs(limbs: readonly Float64Array[], shift: number): BigUint64Array {
  const count = limbs[0]!.length;
  const skip = shift >>> 5;
  const bits = shift & 31;
  const { words, halves, carries, below } = scratchOf(count);
  for (const memory of [halves, carries, below]) memory.fill(0);
  // Two limbs above the last one take its carry, and what the shift moves across.
  for (let l = 0; l < limbs.length + 2 && skip + l < HALVES; l++) placeLimb(limbs[l], { carries, below, bits }, halves, skip + l);
  return words;
}

function placeLimb(limb: Float64Array | undefined, { carries, below, bits }: Carrying, halves: Uint32Array, at: number): void {
  for (let i = 0, out = at; i < carries.length; i++, out += HALVES) {
    const sum = limb === undefined ? carries[i]! : carries[i]! + limb[i]!;
    const piece = sum >>> 0;
    carries[i] = Math.floor(sum / HALF);
    halves[out] = bits === 0 ? piece : (piece << bits) | (below[i]! >>> (32 - bits));
    below[i] = piece;
  }
}
