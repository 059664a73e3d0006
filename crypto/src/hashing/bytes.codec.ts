import { hash } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';

/** Lower-case hexadecimal of `bytes`. */
export function bytesToHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** Strict inverse of {@link bytesToHex}: upper case would give one value two spellings, so it is refused as malformed. */
export function hexToBytes(hex: string): Uint8Array {
  if (typeof hex !== 'string' || hex.length % 2 !== 0 || !/^[0-9a-f]*$/.test(hex)) {
    throw new CryptoError('malformed', `${JSON.stringify(hex)?.slice(0, 80)} is not lower-case hexadecimal of even length.`);
  }
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** Plain SHA-256 of an object, as lower-case hex. Use {@link digest} for anything that is later signed or compared by purpose. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** Concatenation in a fresh buffer. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
