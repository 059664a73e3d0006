import { createHash } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';
import { packPlanes, planarBytes, splitPlanes } from '../packing/bit.planes.js';
import { blockRange, blockSizes, blockSpan, type BlockRange, type BlockSpan, splitBytes } from '../packing/block.layout.js';
import { resolveParameters } from '../ring/aggregation.parameters.js';
import { composeLimbs, COMPOSED_WORDS, truncatedLimbs } from '../ring/crt.composition.js';
import { clearLimbs, limbVectors, reduceLimbs, toWords } from '../ring/limb.vectors.js';
import type { AggregationParameters, ParameterSet } from '../ring/parameter.set.js';
import { elementFromBytes, scalar, scaleElement } from '../ring/ring.element.js';
import { sealEngine } from '../ring/seal.engine.js';
import { sampleErrors } from '../sampling/error.sampler.js';
import { addMessage } from './message.scaling.js';
import { forEachProduct } from './public.product.js';

function uploadBlockBytes(coefficients: number, parameters: AggregationParameters): number[] {
  const { set } = resolveParameters(parameters);
  return blockSizes(coefficients, set).map((used) => planarBytes(used, parameters.keptBits));
}

/** Bytes of an upload of so many coefficients, keptBits bits each, plane by plane in each block. */
export function ciphertextBytes(coefficients: number, parameters: AggregationParameters): number {
  return uploadBlockBytes(coefficients, parameters).reduce((sum, bytes) => sum + bytes, 0);
}

/** Where a block lies in an upload of so many coefficients; 'out-of-range' for one that it does not have. */
export function ciphertextBlockSpan(block: number, coefficients: number, parameters: AggregationParameters): BlockSpan {
  const { set } = resolveParameters(parameters);
  return blockSpan(block, coefficients, set, (used) => planarBytes(used, parameters.keptBits));
}

/** The blocks of an upload, as views; 'malformed' for another length than its coefficients take, or a padding bit that is set. */
export function uploadBlocks(upload: Uint8Array, coefficients: number, parameters: AggregationParameters): Uint8Array[] {
  const what = `An upload of ${coefficients} coefficients`;
  const blocks = splitBytes(upload, uploadBlockBytes(coefficients, parameters), what);
  const { degree } = resolveParameters(parameters).set;
  // Whole blocks have no padding: N is a multiple of eight.
  splitPlanes(blocks.at(-1)!, coefficients % degree || degree, parameters.keptBits, 'The last block of an upload');
  return blocks;
}

export interface EncryptionInput {
  parameters: AggregationParameters;
  /** The round context K (64 hex characters). It MUST never be used twice for one secret key: the two would differ by the messages. */
  k: string;
  /** s_i in NTT form, as dealt. */
  secretKey: Uint8Array;
  /** Words below t, from packVector: as many as are in use. */
  coefficients: BigUint64Array;
}

/**
 * R3 for the blocks from ≤ block < to: c_b = −a_b·s + e_b + ⌈q·m_b/t⌋ mod q, low bits dropped, concatenated. Of the last block only the coefficients in use
 * leave this function: opening works coefficient by coefficient, and the others would only be more equations in s.
 * a_b is public and comes from K alone, so a site cannot choose it. The errors are fresh at every call, but truncation hides most of them.
 * `coefficients` is the whole vector, whichever blocks are asked for.
 */
export function encryptBlocks(input: EncryptionInput & BlockRange): Uint8Array {
  const { parameters, k, secretKey, coefficients } = input;
  const { set } = resolveParameters(parameters);
  requireRoundContext(k);
  const blocks = blockRange(input, coefficients.length, set);
  requirePlain(coefficients, input, set);
  const engine = sealEngine(set.name);
  const negated = elementFromBytes(secretKey, set, 'The secret key');
  scaleElement(negated, scalar(-1n, set), set);
  const factor = engine.factor(negated);
  negated.fill(0n);
  const { droppedBits, keptBits } = parameters;
  const upload = new Uint8Array(blocks.reduce((sum, { used }) => sum + planarBytes(used, keptBits), 0));
  const limbs = limbVectors(set.degree);
  const composed = new BigUint64Array(set.degree * COMPOSED_WORDS);
  let at = 0;
  try {
    forEachProduct({ engine, factor, k, blocks }, (product, { block, used }) => {
      composeLimbs(product, set, limbs, used);
      const first = block * set.degree;
      addMessage(limbs, coefficients.subarray(first, first + used), sampleErrors(used), set);
      reduceLimbs(limbs, set, used);
      toWords(limbs, composed, used);
      const bytes = planarBytes(used, keptBits);
      packPlanes(truncatedLimbs(composed, used, droppedBits, keptBits), used, keptBits, upload.subarray(at, at + bytes));
      at += bytes;
    });
  } finally {
    factor.free();
    clearLimbs(limbs);
    composed.fill(0n);
  }
  return upload;
}

/** {@link encryptBlocks} for all blocks. */
export function encryptVector(input: EncryptionInput): Uint8Array {
  const { set } = resolveParameters(input.parameters);
  return encryptBlocks({ ...input, from: 0, to: blockSizes(input.coefficients.length, set).length });
}

function requirePlain(coefficients: BigUint64Array, { from, to }: BlockRange, { degree, plainModulus }: ParameterSet): void {
  const end = Math.min(coefficients.length, to * degree);
  for (let i = from * degree; i < end; i++) {
    if (coefficients[i]! >= plainModulus)
      throw new CryptoError('out-of-range', `Coefficient ${i} is ${coefficients[i]}, not below ${plainModulus}.`);
  }
}

export function requireRoundContext(k: string): void {
  if (typeof k !== 'string' || !/^[0-9a-f]{64}$/.test(k)) {
    throw new CryptoError('malformed', `The round context K must be 64 lower-case hex characters, not ${JSON.stringify(k)}.`);
  }
}

/** SHA-256 of every block, the leaves of the upload's Merkle tree; 'malformed' as {@link uploadBlocks}. */
export function ciphertextBlockDigests(upload: Uint8Array, coefficients: number, parameters: AggregationParameters): Uint8Array[] {
  return digestsOf(uploadBlocks(upload, coefficients, parameters));
}

export function digestsOf(blocks: readonly Uint8Array[]): Uint8Array[] {
  return blocks.map((block) => new Uint8Array(createHash('sha256').update(block).digest()));
}
