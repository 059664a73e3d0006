import { CryptoError } from '../crypto.error.js';

/*
 * How truncated coefficients travel: a coefficient of `bits` bits is cut into planes of 32, 32, … and then the binary digits of the rest (16, 8, 4, 2, 1) bits,
 * lowest bits first, and a block is its planes one after the other. Every plane is an array of its own, so that uploads can be added plane by plane
 * in typed arrays without taking a bit stream apart. Computed with: 32-bit limbs, limb-major, the last one holding the rest.
 */

export interface BitPlane {
  /** 32, 16, 8, 4, 2 or 1 bits. */
  width: number;
  /** Which 32-bit limb of a coefficient it is cut from, and from which bit of it. */
  limb: number;
  shift: number;
}

const known = new Map<number, readonly BitPlane[]>();

/** Planes of coefficients of so many bits, lowest first. */
export function planesOf(bits: number): readonly BitPlane[] {
  const ready = known.get(bits);
  if (ready !== undefined) return ready;
  const planes: BitPlane[] = [];
  const whole = Math.floor(bits / 32);
  for (let limb = 0; limb < whole; limb++) planes.push({ width: 32, limb, shift: 0 });
  let shift = 0;
  for (let width = 16; width >= 1; width /= 2) {
    if (((bits % 32) & width) === 0) continue;
    planes.push({ width, limb: whole, shift });
    shift += width;
  }
  known.set(bits, planes);
  return planes;
}

/** 32-bit limbs of a coefficient of so many bits. */
export const limbCount = (bits: number): number => Math.ceil(bits / 32);

/** Bytes of one plane: sub-byte values packed low bits first, the last byte filled up with zero bits. */
export const planeBytes = (used: number, width: number): number => Math.ceil((used * width) / 8);

/** Bytes of a block of `used` coefficients. */
export function planarBytes(used: number, bits: number): number {
  return planesOf(bits).reduce((sum, { width }) => sum + planeBytes(used, width), 0);
}

/** The planes of a block, as views; 'malformed' for another length or a padding bit that is set, so that a block has one encoding. */
export function splitPlanes(block: Uint8Array, used: number, bits: number, what: string): Uint8Array[] {
  const expected = planarBytes(used, bits);
  if (!(block instanceof Uint8Array) || block.length !== expected) {
    const found = block instanceof Uint8Array ? `${block.length} bytes` : typeof block;
    throw new CryptoError('malformed', `${what} of ${used} coefficients must be ${expected} bytes, not ${found}.`);
  }
  let at = 0;
  return planesOf(bits).map(({ width }) => {
    const plane = block.subarray(at, (at += planeBytes(used, width)));
    const spare = (used * width) % 8;
    if (spare !== 0 && plane.at(-1)! >> spare !== 0)
      throw new CryptoError('malformed', `${what} must end each plane with zero bits after the last coefficient.`);
    return plane;
  });
}

/** Writes `used` coefficients, whose limbs have no bit beyond `bits`, as the planes of a block; `out` has exactly planarBytes. */
export function packPlanes(limbs: readonly Uint32Array[], used: number, bits: number, out: Uint8Array): void {
  let at = 0;
  for (const { width, limb, shift } of planesOf(bits)) {
    const values = limbs[limb]!;
    const bytes = planeBytes(used, width);
    const plane = out.subarray(at, (at += bytes));
    if (width === 32) plane.set(new Uint8Array(values.buffer, values.byteOffset, bytes));
    else if (width === 16) packWide(values, used, shift, plane);
    else packNarrow(values, used, { width, shift }, plane);
  }
}

function packWide(values: Uint32Array, used: number, shift: number, plane: Uint8Array): void {
  for (let i = 0; i < used; i++) {
    const value = values[i]! >>> shift;
    plane[2 * i] = value;
    plane[2 * i + 1] = value >>> 8;
  }
}

function packNarrow(values: Uint32Array, used: number, { width, shift }: { width: number; shift: number }, plane: Uint8Array): void {
  const mask = 2 ** width - 1;
  const perByte = 8 / width;
  for (let byte = 0, i = 0; byte < plane.length; byte++) {
    let packed = 0;
    const end = Math.min(used, i + perByte);
    for (let place = 0; i < end; i++, place += width) packed |= ((values[i]! >>> shift) & mask) << place;
    plane[byte] = packed;
  }
}

/** Limbs of the coefficients of a block from {@link packPlanes}, `used` words each; 'malformed' as {@link splitPlanes}. */
export function unpackPlanes(block: Uint8Array, used: number, bits: number, what: string): Uint32Array[] {
  const limbs = Array.from({ length: limbCount(bits) }, () => new Uint32Array(used));
  const planes = splitPlanes(block, used, bits, what);
  for (const [index, { width, limb, shift }] of planesOf(bits).entries()) {
    const plane = planes[index]!;
    const values = limbs[limb]!;
    if (width === 32) new Uint8Array(values.buffer).set(plane);
    else if (width === 16) for (let i = 0; i < used; i++) values[i]! |= (plane[2 * i]! | (plane[2 * i + 1]! << 8)) << shift;
    else unpackNarrow(plane, used, { width, shift }, values);
  }
  return limbs;
}

function unpackNarrow(plane: Uint8Array, used: number, { width, shift }: { width: number; shift: number }, values: Uint32Array): void {
  const mask = 2 ** width - 1;
  const perByte = 8 / width;
  for (let byte = 0, i = 0; byte < plane.length; byte++) {
    const packed = plane[byte]!;
    const end = Math.min(used, i + perByte);
    for (let place = 0; i < end; i++, place += width) values[i]! |= ((packed >>> place) & mask) << shift;
  }
}
