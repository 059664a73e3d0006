import { limbCount, packPlanes, planarBytes, unpackPlanes } from '../packing/bit.planes.js';
import { integerAt } from '../packing/residue.range.js';
import { composedAt, wordsOf } from '../ring/composed.words.js';
import type { AggregationParameters } from '../ring/parameter.set.js';
import { shareKeptBits } from '../shares/decryption.share.js';

/* Blocks as lists of integers: what the typed arrays of the package must agree with. */

export function blockOf(values: readonly bigint[], bits: number): Uint8Array {
  const limbs = Array.from({ length: limbCount(bits) }, (_, limb) =>
    Uint32Array.from(values, (value) => Number((value >> BigInt(32 * limb)) & 0xffffffffn)),
  );
  const block = new Uint8Array(planarBytes(values.length, bits));
  packPlanes(limbs, values.length, bits, block);
  return block;
}

export function valuesOf(block: Uint8Array, used: number, bits: number): bigint[] {
  const limbs = unpackPlanes(block, used, bits, 'A block');
  return Array.from({ length: used }, (_, index) => integerAt(limbs, index));
}

export function composedOf(integers: readonly bigint[]): BigUint64Array {
  return BigUint64Array.from(integers.flatMap(wordsOf));
}

export function integersOf(composed: BigUint64Array): bigint[] {
  return Array.from({ length: composed.length / 3 }, (_, index) => composedAt(composed, index));
}

/** The block of a share whose coefficients h in [0, q) become `change(h, index)` mod q; h is taken at the bottom of its step. */
export function changedShare(
  block: Uint8Array,
  used: number,
  parameters: AggregationParameters,
  modulus: bigint,
  change: (h: bigint, index: number) => bigint,
): Uint8Array {
  const bits = shareKeptBits(parameters);
  const dropped = BigInt(parameters.shareDroppedBits);
  const changed = valuesOf(block, used, bits).map((value, index) => {
    const h = change(value << dropped, index) % modulus;
    return (h < 0n ? h + modulus : h) >> dropped;
  });
  return blockOf(changed, bits);
}
