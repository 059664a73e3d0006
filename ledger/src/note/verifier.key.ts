import { createHash } from 'node:crypto';
import { LedgerError } from '../errors/index.js';
import { decodeBase64, encodeBase64 } from './base64.text.js';
import { PUBLIC_KEY_BYTES } from './ed25519.key.js';

/** What a key signs: notes (type 0x01), or timestamped witness cosignatures (0x04). One key must not do both. */
export type VerifierKeyKind = 'log' | 'witness';

const TYPE_BYTE: Readonly<Record<VerifierKeyKind, number>> = { log: 0x01, witness: 0x04 };

export interface VerifierKey {
  readonly kind: VerifierKeyKind;
  /** For a log, its origin. */
  readonly name: string;
  /** Eight lower-case hex digits: SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]. A label, not a proof: collisions are easily made. */
  readonly keyId: string;
  readonly publicKey: Uint8Array;
}

export function verifierKey(kind: VerifierKeyKind, name: string, publicKey: Uint8Array): VerifierKey {
  requireKeyName(name);
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw new LedgerError(
      'malformed-key',
      `the key of "${name}" has ${publicKey.length} bytes; an Ed25519 public key has ${PUBLIC_KEY_BYTES}`,
    );
  }
  const material = Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(TYPE_BYTE[kind]), publicKey]);
  return { kind, name, keyId: createHash('sha256').update(material).digest('hex').slice(0, 8), publicKey };
}

/** `name+hex8+base64(type ‖ public key)` (C2SP signed-note, "verifier keys"). */
export function encodeVkey({ kind, name, keyId, publicKey }: VerifierKey): string {
  return `${name}+${keyId}+${encodeBase64(Uint8Array.of(TYPE_BYTE[kind], ...publicKey))}`;
}

/** @throws LedgerError 'malformed-key' on anything but the exact form, a key ID that does not belong to the key, or another algorithm */
export function parseVkey(vkey: string): VerifierKey {
  // Base64 may hold "+", so only the first two separate.
  const match = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/u.exec(vkey);
  const material = match && decodeBase64(match[3]!);
  if (!match || !material) throw new LedgerError('malformed-key', `"${shorten(vkey)}" is not a verifier key of the form name+hash+base64`);
  const kind = material[0] === TYPE_BYTE.log ? 'log' : material[0] === TYPE_BYTE.witness ? 'witness' : undefined;
  if (kind === undefined) {
    throw new LedgerError(
      'malformed-key',
      `verifier key "${match[1]}" has signature type ${material[0]}; only Ed25519 notes (1) and cosignatures (4) are known`,
    );
  }
  const key = verifierKey(kind, match[1]!, material.slice(1));
  if (key.keyId !== match[2]) {
    throw new LedgerError(
      'malformed-key',
      `verifier key "${match[1]}" says ${match[2]} but its key hashes to ${key.keyId}; it was copied wrongly or altered`,
    );
  }
  return key;
}

/** C2SP signed-note: not empty, no Unicode space, no plus; and no control character, as in a note. */
export function isKeyName(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- finding control characters is the point
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}+\u0000-\u001f]/u.test(name);
}

function requireKeyName(name: string): void {
  if (!isKeyName(name))
    throw new LedgerError('malformed-key', `"${shorten(name)}" cannot be a key name: it must have no spaces and no "+"`);
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
