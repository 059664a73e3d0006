import { CryptoError } from '../crypto.error.js';
import { limbCount, planeBytes, planesOf, splitPlanes, type BitPlane } from '../packing/bit.planes.js';
import type { PlanarRange } from '../packing/planar.range.js';

/*
 * The loops take four values at a time: V8 does not unroll them, and one at a time they run at half the speed (measured on Node 24).
 */

/** Little-endian words of a plane: a view where it can be one, else a copy filled up with zeros. */
function wordsOf(plane: Uint8Array, scratch: Uint32Array): Uint32Array {
  if (plane.byteOffset % 4 === 0 && plane.length % 4 === 0) return new Uint32Array(plane.buffer, plane.byteOffset, plane.length / 4);
  const words = scratch.subarray(0, Math.ceil(plane.length / 4));
  words.fill(0, words.length - 1);
  new Uint8Array(scratch.buffer).set(plane);
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

/** The sums of one plane, value by value. */
interface PlaneSum {
  add(plane: Uint8Array): void;
  /** Sums so far, one for each coefficient. */
  sums(): Float64Array | Uint32Array;
  clear(): void;
}

/** 32-bit values in doubles: exact for 2^21 addends. */
class WordSum implements PlaneSum {
  readonly #sums: Float64Array;
  readonly #scratch: Uint32Array;

  constructor(used: number) {
    this.#sums = new Float64Array(used);
    this.#scratch = new Uint32Array(used);
  }

  add(plane: Uint8Array): void {
    addDoubles(this.#sums, wordsOf(plane, this.#scratch));
  }

  sums(): Float64Array {
    return this.#sums;
  }

  clear(): void {
    this.#sums.fill(0);
  }
}

/**
 * Values of 1 to 16 bits, several added in one 32-bit operation: every second, fourth or eighth of them in lanes with room above, which are emptied into
 * the sums before they can overflow.
 */
class LaneSum implements PlaneSum {
  readonly #sums: Uint32Array;
  readonly #scratch: Uint32Array;
  /** groups[g] holds in each lane the value that stands g·width bits above the lane's lowest. */
  readonly #groups: Int32Array[];
  readonly #lane: number;
  readonly #mask: number;
  readonly #room: number;
  #pending = 0;

  constructor(
    used: number,
    readonly width: number,
  ) {
    const words = Math.ceil(planeBytes(used, width) / 4);
    this.#lane = Math.max(8, 2 * width);
    this.#sums = new Uint32Array((words * 32) / width);
    this.#scratch = new Uint32Array(words);
    this.#groups = Array.from({ length: this.#lane / width }, () => new Int32Array(words));
    const largest = 2 ** width - 1;
    let mask = 0;
    for (let at = 0; at < 32; at += this.#lane) mask |= largest << at;
    this.#mask = mask;
    this.#room = Math.floor((2 ** this.#lane - 1) / largest);
  }

  add(plane: Uint8Array): void {
    if (this.#pending === this.#room) this.#empty();
    const words = wordsOf(plane, this.#scratch);
    const signed = new Int32Array(words.buffer, words.byteOffset, words.length);
    for (const [group, lanes] of this.#groups.entries()) addLanes(lanes, signed, group * this.width, this.#mask);
    this.#pending++;
  }

  #empty(): void {
    const { width } = this;
    const perWord = 32 / width;
    const perLane = this.#lane / width;
    const laneMask = 2 ** this.#lane - 1;
    for (const [group, lanes] of this.#groups.entries()) {
      for (let lane = 0; lane * this.#lane < 32; lane++) {
        const shift = lane * this.#lane;
        for (let k = 0, i = group + lane * perLane; k < lanes.length; k++, i += perWord)
          this.#sums[i]! += ((lanes[k]! >>> shift) & laneMask) >>> 0;
      }
      lanes.fill(0);
    }
    this.#pending = 0;
  }

  sums(): Uint32Array {
    this.#empty();
    return this.#sums;
  }

  clear(): void {
    for (const lanes of this.#groups) lanes.fill(0);
    this.#pending = 0;
    this.#sums.fill(0);
  }
}

function planeSum({ width }: BitPlane, used: number): PlaneSum {
  return width === 32 ? new WordSum(used) : new LaneSum(used, width);
}

/** Exact sums of the truncated coefficients of blocks that are cut alike, plane by plane. At most 2^16 blocks. */
export class BlockSums {
  readonly #planes: readonly PlaneSum[];
  /** Kept from block to block, as all arrays here: fresh pages for each would cost as much as the additions. */
  readonly #limbs: Float64Array[];

  constructor(
    readonly used: number,
    readonly bits: number,
    readonly range: PlanarRange,
  ) {
    this.#planes = planesOf(bits).map((plane) => planeSum(plane, used));
    this.#limbs = Array.from({ length: limbCount(bits) }, () => new Float64Array(used));
  }

  /** Nothing is added of a block that is 'malformed': of another length, with a padding bit set, or with a coefficient beyond the range. */
  add(block: Uint8Array, what: string): void {
    const planes = splitPlanes(block, this.used, this.bits, what);
    const beyond = this.range.firstBeyond(planes);
    if (beyond >= 0) throw new CryptoError('malformed', `${what}: coefficient ${beyond} is larger than any truncated residue.`);
    for (const [index, sum] of this.#planes.entries()) sum.add(planes[index]!);
  }

  /** As if nothing had been added. */
  clear(): void {
    for (const sum of this.#planes) sum.clear();
  }

  /**
   * `factor` times the sums so far as 32-bit limbs, plus `start` in the lowest; with a factor of two each stays below 2^50.
   * The arrays are the same ones every time.
   */
  limbs(factor: number, start: number): readonly Float64Array[] {
    for (const [index, target] of this.#limbs.entries()) target.fill(index === 0 ? start : 0);
    for (const [index, { limb, shift }] of planesOf(this.bits).entries()) {
      const times = factor * 2 ** shift;
      const sums = this.#planes[index]!.sums();
      if (sums instanceof Float64Array) addTimes(this.#limbs[limb]!, sums, times);
      else addTimesWords(this.#limbs[limb]!, sums, times);
    }
    return this.#limbs;
  }
}

function addTimes(target: Float64Array, sums: Float64Array, times: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += sums[i]! * times;
}

/** The same for another type of array: one loop for both would be slower for either. */
function addTimesWords(target: Float64Array, sums: Uint32Array, times: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += sums[i]! * times;
}
