import { createHash } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';
import { truncateAndPack } from '../packing/bit.packing.js';
import { resolveParameters } from '../ring/aggregation.parameters.js';
import { compose } from '../ring/crt.composition.js';
import type { AggregationParameters } from '../ring/parameter.set.js';
import { elementFromBytes, scalar, scaleElement } from '../ring/ring.element.js';
import { sealEngine } from '../ring/seal.engine.js';
import { addErrors, sampleErrors } from '../sampling/error.sampler.js';
import { publicElement } from '../sampling/uniform.sampler.js';

/** Bytes of one uploaded block: N truncated coefficients of keptBits bits. */
export function ciphertextBlockBytes(parameters: AggregationParameters): number {
  return (resolveParameters(parameters).set.degree * parameters.keptBits) / 8;
}

/** Number of whole blocks in an upload; 'malformed' when it is none or not whole. */
export function uploadBlocks(upload: Uint8Array, parameters: AggregationParameters): number {
  const size = ciphertextBlockBytes(parameters);
  const blocks = upload instanceof Uint8Array ? upload.length / size : 0;
  if (!Number.isSafeInteger(blocks) || blocks < 1) {
    throw new CryptoError('malformed', `An upload of ${upload?.length} bytes is not a whole number of ${size}-byte blocks.`);
  }
  return blocks;
}

export interface EncryptionInput {
  parameters: AggregationParameters;
  /** The round context K (64 hex characters). It MUST never be used twice for one secret key: the two would differ by the messages. */
  k: string;
  /** s_i in NTT form, as dealt. */
  secretKey: Uint8Array;
  /** Whole blocks of N words below t, from packVector. */
  coefficients: BigUint64Array;
}

/**
 * R3 for all blocks: c_b = −a_b·s + e_b + ⌈q·m_b/t⌋ mod q, low bits dropped, concatenated.
 * a_b is public and comes from K alone, so a site cannot choose it. The errors are fresh at every call, but truncation hides most of them.
 */
export function encryptVector({ parameters, k, secretKey, coefficients }: EncryptionInput): Uint8Array {
  const { set } = resolveParameters(parameters);
  requireRoundContext(k);
  const blocks = coefficients.length / set.degree;
  if (!Number.isSafeInteger(blocks) || blocks < 1) {
    throw new CryptoError('out-of-range', `${coefficients.length} coefficients are not a whole number of blocks of ${set.degree}.`);
  }
  const beyond = coefficients.findIndex((coefficient) => coefficient >= set.plainModulus);
  if (beyond >= 0)
    throw new CryptoError('out-of-range', `Coefficient ${beyond} is ${coefficients[beyond]}, not below ${set.plainModulus}.`);
  const engine = sealEngine(set.name);
  const negated = elementFromBytes(secretKey, set, 'The secret key');
  scaleElement(negated, scalar(-1n, set), set);
  const factor = engine.factor(negated);
  negated.fill(0n);
  const blockBytes = ciphertextBlockBytes(parameters);
  const upload = new Uint8Array(blocks * blockBytes);
  try {
    for (let block = 0; block < blocks; block++) {
      const element = engine.productCoefficients(publicElement(k, block, set), factor);
      addErrors(element, sampleErrors(set.degree), set);
      const message = coefficients.subarray(block * set.degree, (block + 1) * set.degree);
      const composed = compose(engine.addScaledMessage(element, message), set);
      truncateAndPack(
        composed,
        parameters.droppedBits,
        parameters.keptBits,
        new Uint32Array(upload.buffer, block * blockBytes, blockBytes / 4),
      );
    }
  } finally {
    factor.free();
  }
  return upload;
}

export function requireRoundContext(k: string): void {
  if (typeof k !== 'string' || !/^[0-9a-f]{64}$/.test(k)) {
    throw new CryptoError('malformed', `The round context K must be 64 lower-case hex characters, not ${JSON.stringify(k)}.`);
  }
}

/** SHA-256 of every block, the leaves of the upload's Merkle tree. */
export function ciphertextBlockDigests(upload: Uint8Array, parameters: AggregationParameters): Uint8Array[] {
  return digestsOf(upload, uploadBlocks(upload, parameters));
}

export function digestsOf(bytes: Uint8Array, blocks: number): Uint8Array[] {
  const size = bytes.length / blocks;
  return Array.from(
    { length: blocks },
    (_, block) =>
      new Uint8Array(
        createHash('sha256')
          .update(bytes.subarray(block * size, (block + 1) * size))
          .digest(),
      ),
  );
}
