import { CryptoError } from '../crypto.error.js';
import { uploadBlocks } from '../encryption/vector.encryption.js';
import { limbCount, readPacked } from '../packing/bit.packing.js';
import { blockSizes } from '../packing/block.layout.js';
import { resolveParameters } from '../ring/aggregation.parameters.js';
import type { AggregationParameters, ParameterSet } from '../ring/parameter.set.js';
import { zeroElement, type RingElement } from '../ring/ring.element.js';
import { addConstant, addScaledWords, multiplier, residue } from '../ring/word.arithmetic.js';

/** Σ c_i modulo q per block, with the half-step correction of truncation included. */
export interface CiphertextSum {
  addends: number;
  /** Coefficients in use; behind them the last block is zero. */
  coefficients: number;
  blocks: RingElement[];
}

/**
 * Adds the truncated integers of all uploads exactly, 32-bit limbs in doubles (no SEAL object per upload); shifts back, adds
 * |A|·2^(d−1) once for the mean of the dropped bits, and reduces modulo q at the end.
 * Throws 'malformed' for an upload of another length than `coefficients` take, a padding bit or a coefficient that no honest truncation gives;
 * 'out-of-range' for no uploads, more than `sites`, or an impossible number of coefficients.
 */
export function sumCiphertexts(uploads: Iterable<Uint8Array>, coefficients: number, parameters: AggregationParameters): CiphertextSum {
  const { set } = resolveParameters(parameters);
  const sizes = blockSizes(coefficients, set);
  let limbs: Float64Array | undefined;
  let addends = 0;
  for (const upload of uploads) {
    const blocks = uploadBlocks(upload, coefficients, parameters);
    const total = (limbs ??= new Float64Array(sizes.length * set.degree * limbCount(parameters.keptBits)));
    blocks.forEach((bytes, block) => {
      addUploadBlock(total, { bytes, block, used: sizes[block]!, upload: addends }, parameters, set);
    });
    addends++;
    if (addends > parameters.sites)
      throw new CryptoError('out-of-range', `More than the ${parameters.sites} uploads these parameters allow.`);
  }
  if (limbs === undefined) throw new CryptoError('out-of-range', 'There are no uploads to sum.');
  const total = limbs;
  const blocks = sizes.map((used, block) => reduceBlock(total, { block, used, addends }, parameters, set));
  return { addends, coefficients, blocks };
}

/** Limb l of coefficient i of block b sits at (b·limbs + l)·N + i, so that one limb of a block is one run. */
function addUploadBlock(
  limbs: Float64Array,
  { bytes, block, used, upload }: { bytes: Uint8Array; block: number; used: number; upload: number },
  parameters: AggregationParameters,
  set: ParameterSet,
): void {
  const { keptBits, droppedBits } = parameters;
  const count = limbCount(keptBits);
  const top = (set.modulus - 1n) >> BigInt(droppedBits);
  const limit = Array.from({ length: count }, (_, limb) => Number((top >> BigInt(32 * limb)) & 0xffffffffn));
  const scratch = new Uint32Array(count);
  const packed = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(packed.buffer).set(bytes);
  for (let i = 0; i < used; i++) {
    readPacked(packed, i, keptBits, scratch);
    if (exceeds(scratch, limit)) {
      throw new CryptoError('malformed', `Upload ${upload}: coefficient ${i} of block ${block} is larger than any truncated residue.`);
    }
    for (let limb = 0; limb < count; limb++) limbs[(block * count + limb) * set.degree + i]! += scratch[limb]!;
  }
}

function exceeds(value: Uint32Array, limit: readonly number[]): boolean {
  for (let limb = value.length - 1; limb >= 0; limb--) {
    if (value[limb] !== limit[limb]) return value[limb]! > limit[limb]!;
  }
  return false;
}

/** Non-negative safe integers as 64-bit words, half by half: converting each through BigInt costs more than the whole reduction. */
function wordsFromDoubles(values: Float64Array): BigUint64Array {
  const words = new BigUint64Array(values.length);
  const halves = new Uint32Array(words.buffer);
  for (let i = 0; i < values.length; i++) {
    halves[2 * i] = values[i]! >>> 0;
    halves[2 * i + 1] = values[i]! / 2 ** 32;
  }
  return words;
}

function reduceBlock(
  limbs: Float64Array,
  { block, used, addends }: { block: number; used: number; addends: number },
  parameters: AggregationParameters,
  set: ParameterSet,
): RingElement {
  const { degree } = set;
  const count = limbCount(parameters.keptBits);
  const words = wordsFromDoubles(limbs.subarray(block * count * degree, (block + 1) * count * degree));
  const shift = BigInt(parameters.droppedBits);
  const correction = parameters.droppedBits === 0 ? 0n : BigInt(addends) << (shift - 1n);
  const element = zeroElement(set);
  set.dataPrimes.forEach((prime, p) => {
    const [from, to] = [p * degree, p * degree + used];
    for (let limb = 0; limb < count; limb++) {
      addScaledWords(element, from, to, words, limb * degree, multiplier(1n << (shift + BigInt(32 * limb)), prime));
    }
    addConstant(element, from, to, residue(correction, prime), prime);
  });
  return element;
}
