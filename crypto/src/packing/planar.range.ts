import { planesOf } from './bit.planes.js';

/** All values of one plane; a copy where they do not lie as their type needs. */
function valuesOf(plane: Uint8Array, width: number): Uint8Array | Uint16Array | Uint32Array {
  const bytes = plane.byteOffset % (width / 8) === 0 ? plane : plane.slice();
  const { buffer, byteOffset } = bytes;
  switch (width) {
    case 8:
      return bytes;
    case 16:
      return new Uint16Array(buffer, byteOffset, bytes.length / 2);
    default:
      return new Uint32Array(buffer, byteOffset, bytes.length / 4);
  }
}

function valueAt(plane: Uint8Array, width: number, index: number): number {
  if (width < 8) return (plane[(index * width) >> 3]! >>> ((index * width) & 7)) & (2 ** width - 1);
  let value = 0;
  for (let byte = (index + 1) * (width / 8) - 1; byte >= index * (width / 8); byte--) value = value * 256 + plane[byte]!;
  return value;
}

/**
 * Finds coefficients beyond a limit in the planes of a block, without putting all of them together. The limit, ⌊(q−1)/2^dropped⌋, begins with many ones
 * because q is a little below a power of two (2^180 − 2^138 or so), and so does whatever is beyond it: only coefficients whose values in one plane are
 * all ones are compared, from their highest plane down. typedArray.indexOf finds those without a look at each in JavaScript.
 */
export class PlanarRange {
  /** The limit's value in each plane. */
  readonly #limit: readonly number[];
  readonly #widths: readonly number[];
  /** The widest of the planes in and above which the limit is all ones; undefined where every value of so many bits is in range. */
  readonly #filter: number | undefined;

  constructor(largest: bigint, bits: number) {
    const planes = planesOf(bits);
    this.#widths = planes.map(({ width }) => width);
    this.#limit = planes.map(({ width, limb, shift }) => Number((largest >> BigInt(32 * limb + shift)) & (2n ** BigInt(width) - 1n)));
    const full = this.#limit.map((value, index) => value === 2 ** this.#widths[index]! - 1);
    if (full.every(Boolean)) return;
    // Of 8 bits at least: q begins with 42 ones, and whole limbs and the planes of the rest change about every 32 bits.
    const first = full.lastIndexOf(false) + 1;
    this.#filter = this.#widths.indexOf(Math.max(...this.#widths.slice(first)), first);
  }

  /** Position of the first coefficient beyond the limit, or −1. */
  firstBeyond(planes: readonly Uint8Array[]): number {
    const filter = this.#filter;
    if (filter === undefined) return -1;
    const values = valuesOf(planes[filter]!, this.#widths[filter]!);
    const ones = this.#limit[filter]!;
    for (let index = values.indexOf(ones); index >= 0; index = values.indexOf(ones, index + 1)) {
      if (this.#isBeyond(planes, index)) return index;
    }
    return -1;
  }

  #isBeyond(planes: readonly Uint8Array[], index: number): boolean {
    for (let plane = planes.length - 1; plane >= 0; plane--) {
      const value = valueAt(planes[plane]!, this.#widths[plane]!, index);
      if (value !== this.#limit[plane]!) return value > this.#limit[plane]!;
    }
    return false;
  }
}
