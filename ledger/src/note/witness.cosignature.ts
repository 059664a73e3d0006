import { LedgerError } from '../errors/index.js';
import { SIGNATURE_BYTES, publicKeyFromSeed, signEd25519, verifyEd25519 } from './ed25519.key.js';
import type { NoteSignature, NoteSigner } from './signed.note.js';
import { verifierKey } from './verifier.key.js';

const TIME_BYTES = 8;
const LATEST = (1n << 63n) - 1n;

/**
 * C2SP tlog-cosignature, `cosignature/v1`: "as of this time, this is the largest consistent tree that I have seen of this log". The signer must
 * have verified consistency with the last checkpoint it cosigned, and must use its key for nothing else.
 * @param text the checkpoint's text with its last newline
 * @param unixSeconds whole seconds
 */
export function cosign(text: string, unixSeconds: bigint, witness: NoteSigner): NoteSignature {
  if (unixSeconds < 0n || unixSeconds > LATEST) throw new LedgerError('out-of-range', `${unixSeconds} is not a time in seconds since 1970`);
  const { keyId } = verifierKey('witness', witness.name, publicKeyFromSeed(witness.seed));
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(unixSeconds);
  return { name: witness.name, keyId, bytes: new Uint8Array(Buffer.concat([time, signEd25519(message(text, unixSeconds), witness.seed)])) };
}

/** The time (seconds since 1970) at which the witness signed, or undefined when the cosignature does not hold. */
export function verifyCosignature(text: string, signature: Uint8Array, publicKey: Uint8Array): bigint | undefined {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const time = Buffer.from(signature).readBigUInt64BE();
  if (time > LATEST) return undefined;
  return verifyEd25519(message(text, time), signature.subarray(TIME_BYTES), publicKey) ? time : undefined;
}

function message(text: string, time: bigint): Uint8Array {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
}
