import { COMPOSED_WORDS } from '../ring/crt.composition.js';

const LIMBS = COMPOSED_WORDS * 2;

/**
 * Drops the low `droppedBits` of each composed coefficient (floor) and writes `keptBits` bits of it, one after the other, little endian.
 * `out` is zeroed and has room for all of them; bits after the last one stay zero.
 */
export function truncateAndPack(composed: BigUint64Array, droppedBits: number, keptBits: number, out: Uint32Array): void {
  const limbs = new Uint32Array(composed.buffer, composed.byteOffset, composed.length * 2);
  const skip = Math.floor(droppedBits / 32);
  const shift = droppedBits % 32;
  let bit = 0;
  for (let base = 0; base < limbs.length; base += LIMBS) {
    for (let done = 0, limb = skip; done < keptBits; done += 32, limb++) {
      const low = limbs[base + limb]!;
      const high = limb + 1 < LIMBS ? limbs[base + limb + 1]! : 0;
      let piece = shift === 0 ? low : ((low >>> shift) | (high << (32 - shift))) >>> 0;
      const width = Math.min(32, keptBits - done);
      if (width < 32) piece = (piece & (2 ** width - 1)) >>> 0;
      const at = bit >>> 5;
      const inside = bit & 31;
      out[at]! |= piece << inside;
      if (inside + width > 32) out[at + 1]! |= piece >>> (32 - inside);
      bit += width;
    }
  }
}

/** Bytes of `count` coefficients of keptBits bits; the last byte is filled up with zero bits. */
export const packedBytes = (count: number, keptBits: number): number => Math.ceil((count * keptBits) / 8);

/** True when the bits after the last of `count` coefficients are zero: one value has one encoding. */
export function isPaddedWithZeros(packed: Uint8Array, count: number, keptBits: number): boolean {
  const used = (count * keptBits) % 8;
  return used === 0 || packed.at(-1)! >> used === 0;
}

/** 32-bit limbs of a truncated coefficient. */
export const limbCount = (keptBits: number): number => Math.ceil(keptBits / 32);

/** Reads coefficient `index` of a packed block into `target[0 … limbCount)`, lowest limb first. */
export function readPacked(packed: Uint32Array, index: number, keptBits: number, target: Uint32Array): void {
  let bit = index * keptBits;
  for (let done = 0, limb = 0; done < keptBits; done += 32, limb++) {
    const width = Math.min(32, keptBits - done);
    const at = Math.floor(bit / 32);
    const inside = bit % 32;
    let piece = packed[at]! >>> inside;
    if (inside + width > 32) piece |= packed[at + 1]! << (32 - inside);
    target[limb] = width < 32 ? piece & (2 ** width - 1) : piece;
    bit += width;
  }
}
