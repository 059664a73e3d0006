export {
  type Checkpoint,
  type OpenedCheckpoint,
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from './checkpoint.note.js';
export { publicKeyFromSeed, publicKeyFromSpki, spkiFromPublicKey } from './ed25519.key.js';
export {
  type NoteSignature,
  type NoteSigner,
  type OpenedNote,
  type SignedNote,
  appendSignatures,
  formatSignature,
  openNote,
  parseNote,
  signNote,
} from './signed.note.js';
export { type VerifierKey, type VerifierKeyKind, encodeVkey, parseVkey, verifierKey } from './verifier.key.js';
export { cosign, verifyCosignature } from './witness.cosignature.js';
