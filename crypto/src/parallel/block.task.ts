import { ciphertextBlockSpan, digestsOf, encryptBlocks, type EncryptionInput } from '../encryption/vector.encryption.js';
import type { BlockRange, BlockSpan } from '../packing/block.layout.js';
import { decryptionShareBlocks, shareBlockSpan, type DecryptionShareInput } from '../shares/decryption.share.js';

/** Work that falls apart into blocks: a vector to encrypt, or a decryption share to compute. */
export type BlockWork = { kind: 'encrypt'; input: EncryptionInput } | { kind: 'share'; input: DecryptionShareInput };

/** The blocks of a range, one after the other as they travel, and the SHA-256 of each. */
export interface BlockRun {
  bytes: Uint8Array;
  digests: Uint8Array[];
}

export function coefficientsOf({ kind, input }: BlockWork): number {
  return kind === 'encrypt' ? input.coefficients.length : input.coefficients;
}

export function spanOf(work: BlockWork, block: number): BlockSpan {
  const span = work.kind === 'encrypt' ? ciphertextBlockSpan : shareBlockSpan;
  return span(block, coefficientsOf(work), work.input.parameters);
}

/** Computes a range of blocks on this thread. */
export function runBlocks(work: BlockWork, { from, to }: BlockRange): BlockRun {
  const bytes = work.kind === 'encrypt' ? encryptBlocks({ ...work.input, from, to }) : decryptionShareBlocks({ ...work.input, from, to });
  const start = spanOf(work, from).offset;
  const blocks = Array.from({ length: to - from }, (_, index) => {
    const { offset, length } = spanOf(work, from + index);
    return bytes.subarray(offset - start, offset - start + length);
  });
  return { bytes, digests: digestsOf(blocks) };
}
