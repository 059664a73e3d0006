import { createHash, type Hash } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';

/** What may enter a purpose hash. Numbers are non-negative safe integers; a number and a bigint of one value are the same part. */
export type HashPart = string | Uint8Array | number | bigint | readonly HashPart[];

const DOMAIN = 'coferment/v1';

enum Tag {
  Text = 1,
  Bytes = 2,
  Integer = 3,
  List = 4,
}

function header(tag: Tag, length: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = tag;
  new DataView(bytes.buffer).setBigUint64(1, BigInt(length), true);
  return bytes;
}

function absorbText(target: Hash, tag: Tag, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  target.update(header(tag, bytes.length)).update(bytes);
}

function absorb(target: Hash, part: HashPart): void {
  if (typeof part === 'string') {
    // UTF-8 encoding maps every lone surrogate to U+FFFD: two different strings would hash alike.
    if (!part.isWellFormed()) throw new CryptoError('malformed', 'A hashed text holds a lone surrogate: pass well-formed Unicode.');
    absorbText(target, Tag.Text, part);
  } else if (typeof part === 'number') {
    if (!Number.isSafeInteger(part) || part < 0) {
      throw new CryptoError('malformed', `A hashed number must be a non-negative safe integer, not ${part}.`);
    }
    absorbText(target, Tag.Integer, part.toString());
  } else if (typeof part === 'bigint') {
    if (part < 0n) throw new CryptoError('malformed', `A hashed integer must not be negative, and ${part} is.`);
    absorbText(target, Tag.Integer, part.toString());
  } else if (part instanceof Uint8Array) {
    target.update(header(Tag.Bytes, part.length)).update(part);
  } else if (Array.isArray(part)) {
    target.update(header(Tag.List, part.length));
    for (const item of part as readonly HashPart[]) absorb(target, item);
  } else {
    throw new CryptoError('malformed', `A value of type ${typeof part} cannot be hashed: pass text, bytes, integers or lists of them.`);
  }
}

/**
 * SHA-256 over the type-tagged, length-prefixed encoding of ['coferment/v1', purpose, ...parts]; 32 bytes.
 * The encoding is injective, so a hash for one purpose or shape can never be presented as one for another.
 */
export function hash(purpose: string, ...parts: HashPart[]): Uint8Array {
  const target = createHash('sha256');
  absorb(target, [DOMAIN, purpose, ...parts]);
  return new Uint8Array(target.digest());
}

/** {@link hash} as 64 lower-case hex characters. */
export function digest(purpose: string, ...parts: HashPart[]): string {
  return Buffer.from(hash(purpose, ...parts)).toString('hex');
}
