import { loadSodium } from './sealing/sodium.loader.js';

/** Initialises the WebAssembly modules. Await it once per process; everything else here is synchronous. */
export async function loadCrypto(): Promise<void> {
  await loadSodium();
}

export { CryptoError, type CryptoErrorCode } from './crypto.error.js';
export { bytesToHex, concatBytes, hexToBytes, sha256Hex } from './hashing/bytes.codec.js';
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
export { generateSealingKey, openFrom, sealFor, type SealingKey } from './sealing/box.sealing.js';
export { deriveStoreKey, openAtRest, sealAtRest } from './sealing/store.sealing.js';
export * from './pending.js';
