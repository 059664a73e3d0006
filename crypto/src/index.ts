import { loadSeal } from './ring/seal.module.js';
import { loadSodium } from './sealing/sodium.loader.js';

/** Initialises the WebAssembly modules. Await it once per process; everything else here is synchronous. */
export async function loadCrypto(): Promise<void> {
  await Promise.all([loadSodium(), loadSeal()]);
}

export { CryptoError, type CryptoErrorCode } from './crypto.error.js';
export { bytesToHex, concatBytes, hexToBytes, sha256Hex } from './hashing/bytes.codec.js';
export { checksumFault, formatChecksums, parseChecksums, type Checksums } from './hashing/checksum.list.js';
export { merklePath, merkleRoot, verifyMerklePath } from './hashing/merkle.tree.js';
export { digest, hash, type HashPart } from './hashing/purpose.hash.js';
export { xof, type Xof } from './hashing/stream.xof.js';
export {
  keyIdOf,
  PAYLOAD_TYPE,
  preAuthenticationEncoding,
  signEnvelope,
  verifyEnvelope,
  type DsseEnvelope,
} from './identity/dsse.envelope.js';
export { generateIdentity, identityFromSeed, signBytes, verifyBytes, type Identity } from './identity/ed25519.identity.js';
export { parameterSet, type AggregationParameters, type ParameterSet, type ParameterSetName } from './ring/parameter.set.js';
export { openFrom, sealFor, SEALING_OVERHEAD_BYTES } from './sealing/hybrid.sealing.js';
export { generateSealingKey, SEALING_PUBLIC_KEY_BYTES, sealingKeyFault, type SealingKey } from './sealing/sealing.key.js';
export { fileModeFault, type FileRights } from './sealing/file.mode.js';
export { drawStoreKey, unwrapStoreKey, wrapStoreKey, type StoreSecret } from './sealing/store.header.js';
export { deriveStoreKey, openAtRest, sealAtRest } from './sealing/store.sealing.js';
export {
  readStoreSecret,
  SHORTEST_PASSPHRASE,
  type ReadSecret,
  type SecretEdges,
  type SecretFlags,
  type SecretPurpose,
} from './sealing/store.secret.js';
export { committeeConstants, MAX_KEY_HOLDERS, type CommitteeConstants, type DecodingSet } from './committee/committee.constants.js';
export { combinationScale, lagrangeAtZero, parityWeights, type Rational } from './committee/lagrange.rational.js';
export { openBlock, type BlockOpeningInput, type OpenedBlock } from './combination/block.opening.js';
export {
  blockTotal,
  ciphertextAccumulator,
  sumCiphertexts,
  type BlockTotal,
  type CiphertextAccumulator,
  type CiphertextSum,
} from './combination/ciphertext.sum.js';
export { doubledNoise, doubledShareNoise, type NoiseNumbers } from './combination/noise.bound.js';
export { judgeParity, type ParityEvidence, type ParityVerdict } from './combination/parity.check.js';
export { combine, type Combination, type CombineInput } from './combination/share.combination.js';
export { checkDealing, deal, type Dealing, type DealingCheck } from './dealing/key.dealing.js';
export { openDealingShare, sealedDealingShare, type DealingShareLabel } from './dealing/share.sealing.js';
export {
  ciphertextBlockDigests,
  ciphertextBlockSpan,
  ciphertextBytes,
  encryptBlocks,
  encryptVector,
  type EncryptionInput,
} from './encryption/vector.encryption.js';
export { splitIntoRanges, type BlockRange, type BlockSpan } from './packing/block.layout.js';
export { blockCount, coefficientCount, EXACT_BITS, packVector, unpackSum, type VectorShape } from './packing/vector.packing.js';
export { parametersDigest } from './ring/aggregation.parameters.js';
export {
  decryptionShare,
  decryptionShareBlocks,
  shareBlockDigests,
  shareBlockSpan,
  shareBytes,
  shareKeptBits,
  sumKeyShares,
  type DecryptionShareInput,
} from './shares/decryption.share.js';
export { MAX_ERROR } from './sampling/error.sampler.js';
export { maxSmudging } from './sampling/smudging.sampler.js';
export type { BlockRun } from './parallel/block.task.js';
export { CryptoPool, type CryptoPoolOptions } from './parallel/crypto.pool.js';
export { answering, type WorkerAnswer } from './parallel/worker.answer.js';
export { WorkerPool, type WorkerPoolOptions } from './parallel/worker.pool.js';
