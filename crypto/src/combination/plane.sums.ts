import { limbCount, planeBytes, planesOf, type BitPlane } from '../packing/bit.planes.js';

/*
 * The loops take four values at a time: V8 does not unroll them, and one at a time they run at half the speed (measured on Node 24).
 */

/** Little-endian words of a plane: a view where it can be one, else a copy filled up with zeros. */
function wordsOf(plane: Uint8Array): Uint32Array {
  if (plane.byteOffset % 4 === 0 && plane.length % 4 === 0) return new Uint32Array(plane.buffer, plane.byteOffset, plane.length / 4);
  const words = new Uint32Array(Math.ceil(plane.length / 4));
  new Uint8Array(words.buffer).set(plane);
  return words;
}

function addDoubles(sums: Float64Array, words: Uint32Array): void {
  const fours = sums.length & ~3;
  for (let i = 0; i < fours; i += 4) {
    sums[i]! += words[i]!;
    sums[i + 1]! += words[i + 1]!;
    sums[i + 2]! += words[i + 2]!;
    sums[i + 3]! += words[i + 3]!;
  }
  for (let i = fours; i < sums.length; i++) sums[i]! += words[i]!;
}

/** lanes += (words >>> shift) & mask, without carries from lane to lane. */
function addLanes(lanes: Int32Array, words: Int32Array, shift: number, mask: number): void {
  const fours = lanes.length & ~3;
  for (let k = 0; k < fours; k += 4) {
    lanes[k] = (lanes[k]! + ((words[k]! >>> shift) & mask)) | 0;
    lanes[k + 1] = (lanes[k + 1]! + ((words[k + 1]! >>> shift) & mask)) | 0;
    lanes[k + 2] = (lanes[k + 2]! + ((words[k + 2]! >>> shift) & mask)) | 0;
    lanes[k + 3] = (lanes[k + 3]! + ((words[k + 3]! >>> shift) & mask)) | 0;
  }
  for (let k = fours; k < lanes.length; k++) lanes[k] = (lanes[k]! + ((words[k]! >>> shift) & mask)) | 0;
}

/** Adds the values of one plane to the limb they are part of. */
interface PlaneSum {
  add(plane: Uint8Array): void;
  /** Brings the limb up to date. */
  flush(): void;
  /** Forgets what is not in the limb yet. */
  clear(): void;
}

/** 32-bit values, a limb of their own: exact in doubles for 2^21 addends. */
class WordSum implements PlaneSum {
  constructor(readonly limb: Float64Array) {}

  add(plane: Uint8Array): void {
    addDoubles(this.limb, wordsOf(plane));
  }

  flush(): void {}

  clear(): void {}
}

/**
 * Values of 1 to 16 bits, several added in one 32-bit operation: every second, fourth or eighth of them in lanes with room above, which are emptied into
 * the limb before they can overflow.
 */
class LaneSum implements PlaneSum {
  /** groups[g] holds in each lane the value that stands g·width bits above the lane's lowest. */
  readonly #groups: Int32Array[];
  readonly #lane: number;
  readonly #mask: number;
  readonly #room: number;
  #pending = 0;

  /** @param limb a multiple of 32 values: the last word's are all in it */
  constructor(
    readonly limb: Float64Array,
    used: number,
    readonly plane: BitPlane,
  ) {
    const { width } = plane;
    const words = Math.ceil(planeBytes(used, width) / 4);
    this.#lane = Math.max(8, 2 * width);
    this.#groups = Array.from({ length: this.#lane / width }, () => new Int32Array(words));
    const largest = 2 ** width - 1;
    let mask = 0;
    for (let at = 0; at < 32; at += this.#lane) mask |= largest << at;
    this.#mask = mask;
    this.#room = Math.floor((2 ** this.#lane - 1) / largest);
  }

  add(plane: Uint8Array): void {
    if (this.#pending === this.#room) this.flush();
    const words = wordsOf(plane);
    const signed = new Int32Array(words.buffer, words.byteOffset, words.length);
    for (const [group, lanes] of this.#groups.entries()) addLanes(lanes, signed, group * this.plane.width, this.#mask);
    this.#pending++;
  }

  flush(): void {
    const { width, shift } = this.plane;
    const perLane = this.#lane / width;
    for (const [group, lanes] of this.#groups.entries()) {
      for (let at = 0, first = group; at < 32; at += this.#lane, first += perLane)
        emptyLane(lanes, { at, bits: this.#lane }, this.limb, { first, step: 32 / width, times: 2 ** shift });
      lanes.fill(0);
    }
    this.#pending = 0;
  }

  clear(): void {
    for (const lanes of this.#groups) lanes.fill(0);
    this.#pending = 0;
  }
}

/** limb += times·lane, for one lane of each word. */
function emptyLane(
  words: Int32Array,
  { at, bits }: { at: number; bits: number },
  limb: Float64Array,
  { first, step, times }: { first: number; step: number; times: number },
): void {
  const mask = 2 ** bits - 1;
  for (let k = 0, i = first; k < words.length; k++, i += step) limb[i]! += (((words[k]! >>> at) & mask) >>> 0) * times;
}

/** Exact sums of the truncated coefficients of blocks that are cut alike, plane by plane. At most 2^16 blocks. */
export class BlockSums {
  readonly #planes: readonly PlaneSum[];
  /** One array for each 32-bit limb, kept from block to block: fresh pages for each would cost as much as the additions. */
  readonly #limbs: readonly Float64Array[];

  constructor(used: number, bits: number) {
    const values = Math.ceil(used / 32) * 32;
    const limbs = Array.from({ length: limbCount(bits) }, () => new Float64Array(values));
    this.#limbs = limbs;
    this.#planes = planesOf(bits).map((plane) => {
      const limb = limbs[plane.limb]!;
      return plane.width === 32 ? new WordSum(limb.subarray(0, used)) : new LaneSum(limb, used, plane);
    });
  }

  /** @param planes those of one block, from `checkedPlanes` */
  add(planes: readonly Uint8Array[]): void {
    for (const [index, sum] of this.#planes.entries()) sum.add(planes[index]!);
  }

  /** As if nothing had been added. */
  clear(): void {
    for (const sum of this.#planes) sum.clear();
    for (const limb of this.#limbs) limb.fill(0);
  }

  /** The sums so far as 32-bit limbs that have not been carried, each below 2^48, and perhaps zeros after the last. The arrays are the same ones every time. */
  limbs(): readonly Float64Array[] {
    for (const sum of this.#planes) sum.flush();
    return this.#limbs;
  }
}
