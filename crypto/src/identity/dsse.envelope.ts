import { CryptoError } from '../crypto.error.js';
import { sha256Hex } from '../hashing/bytes.codec.js';
import { signRaw, verifyRaw, type Identity } from './ed25519.identity.js';

/** DSSE v1 JSON envelope (https://github.com/secure-systems-lab/dsse), restricted to exactly one signature. */
export interface DsseEnvelope {
  payloadType: string;
  /** Standard base64 with padding. */
  payload: string;
  /** keyid: hex SHA-256 of the 32-byte public key; sig: base64 of 64 bytes. */
  signatures: [{ keyid: string; sig: string }];
}

export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** hex SHA-256 of the 32-byte public key. */
export function keyIdOf(publicKey: Uint8Array): string {
  return sha256Hex(publicKey);
}

/** DSSE v1 PAE: "DSSEv1" SP LEN(type) SP type SP LEN(payload) SP payload, lengths in bytes as decimal ASCII. */
export function preAuthenticationEncoding(type: string, payload: Uint8Array): Uint8Array {
  const typeBytes = Buffer.from(type, 'utf8');
  return Buffer.concat([Buffer.from(`DSSEv1 ${typeBytes.length} `), typeBytes, Buffer.from(` ${payload.length} `), payload]);
}

/** Signs `payload` under PAYLOAD_TYPE. */
export function signEnvelope(payload: Uint8Array, identity: Identity): DsseEnvelope {
  const signature = signRaw(preAuthenticationEncoding(PAYLOAD_TYPE, payload), identity.privateKey);
  return {
    payloadType: PAYLOAD_TYPE,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: keyIdOf(identity.publicKey), sig: Buffer.from(signature).toString('base64') }],
  };
}

/** Base64 has many spellings of one value; only the canonical one is accepted so that an envelope's digest is unique. */
function canonicalBase64(text: unknown, what: string): Uint8Array {
  if (typeof text !== 'string') throw new CryptoError('malformed', `The ${what} of the envelope is not a string.`);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new CryptoError('malformed', `The ${what} of the envelope is not canonical base64.`);
  return new Uint8Array(bytes);
}

/**
 * Payload of an envelope signed by `publicKey`.
 * Throws 'malformed' (shape, base64, other payload type), 'wrong-key' (keyid of another key), 'bad-signature'.
 */
export function verifyEnvelope(envelope: DsseEnvelope, publicKey: Uint8Array): Uint8Array {
  if (typeof envelope !== 'object' || envelope === null) throw new CryptoError('malformed', 'The envelope is not an object.');
  if (envelope.payloadType !== PAYLOAD_TYPE) {
    throw new CryptoError('malformed', `Payload type ${JSON.stringify(envelope.payloadType)} is not ${PAYLOAD_TYPE}.`);
  }
  const signatures: unknown = envelope.signatures;
  const count = Array.isArray(signatures) ? signatures.length : 0;
  const signature: unknown = Array.isArray(signatures) ? signatures[0] : undefined;
  if (count !== 1 || typeof signature !== 'object' || signature === null) {
    throw new CryptoError('malformed', `The envelope carries ${count} signatures; exactly one is accepted.`);
  }
  const { keyid, sig } = signature as { keyid?: unknown; sig?: unknown };
  const payload = canonicalBase64(envelope.payload, 'payload');
  const signatureBytes = canonicalBase64(sig, 'signature');
  if (keyid !== keyIdOf(publicKey)) {
    throw new CryptoError('wrong-key', `The envelope names key ${JSON.stringify(keyid)}, expected ${keyIdOf(publicKey)}.`);
  }
  if (!verifyRaw(preAuthenticationEncoding(PAYLOAD_TYPE, payload), signatureBytes, publicKey)) {
    throw new CryptoError('bad-signature', `The signature of key ${keyIdOf(publicKey)} over this payload is not valid.`);
  }
  return payload;
}
