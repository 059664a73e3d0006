import { LedgerError } from '../errors/index.js';
import { decodeBase64, encodeBase64 } from './base64.text.js';
import { publicKeyFromSeed, signEd25519, verifyEd25519 } from './ed25519.key.js';
import { type VerifierKey, isKeyName, verifierKey } from './verifier.key.js';
import { verifyCosignature } from './witness.cosignature.js';

export interface NoteSignature {
  readonly name: string;
  /** Eight lower-case hex digits. */
  readonly keyId: string;
  /** What follows the key ID: 64 bytes for a log's key, 8 of time and 64 for a witness. */
  readonly bytes: Uint8Array;
}

export interface SignedNote {
  /** The signed text with its last newline. Not to be believed before {@link openNote}. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface OpenedNote extends SignedNote {
  /** Keys that signed it validly, each once, in the order of their lines. */
  readonly verifiedBy: readonly VerifierKey[];
}

/** A note's own key: its name (for a log, the origin) and its 32-byte Ed25519 seed. */
export interface NoteSigner {
  readonly name: string;
  readonly seed: Uint8Array;
}

const SIGNATURE_PREFIX = '— ';
// The specification asks for at least 16; Go's reference reader stops at 100, and so do we.
const MAX_SIGNATURES = 100;
const MAX_NOTE_BYTES = 1_000_000;

/**
 * C2SP signed-note v1.0.0, read strictly: valid UTF-8 without control characters, base64 in canonical form, nothing after the signatures.
 * @throws LedgerError 'malformed-note'
 */
export function parseNote(note: string | Uint8Array): SignedNote {
  const whole = decodeText(note);
  // The text may hold empty lines itself: the last one separates.
  const separator = whole.lastIndexOf('\n\n');
  if (separator < 0) throw malformed('there is no empty line between text and signatures');
  const block = whole.slice(separator + 2);
  if (block === '') throw malformed('it has no signature lines');
  if (!block.endsWith('\n')) throw malformed('its last line has no newline');
  const lines = block.slice(0, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw malformed(`it has ${lines.length} signature lines; at most ${MAX_SIGNATURES} are read`);
  return { text: whole.slice(0, separator + 1), signatures: lines.map(parseSignatureLine) };
}

/**
 * Verifies a note against known keys. Signatures of other keys are ignored, also where name or key ID alone is the same; a wrong signature under a
 * known key refuses the whole note.
 * @throws LedgerError 'malformed-note', 'bad-signature', 'ambiguous-key', 'no-known-signature'
 */
export function openNote(note: string | Uint8Array, keys: readonly VerifierKey[]): OpenedNote {
  const parsed = parseNote(note);
  const verifiedBy: VerifierKey[] = [];
  for (const signature of parsed.signatures) {
    const [key, second] = keys.filter((candidate) => candidate.name === signature.name && candidate.keyId === signature.keyId);
    if (!key || verifiedBy.includes(key)) continue;
    if (second)
      throw new LedgerError('ambiguous-key', `two of the given keys are named ${signature.name}+${signature.keyId}; give each key once`);
    if (!verifyNoteSignature(parsed.text, signature, key)) {
      throw new LedgerError('bad-signature', `the signature of ${signature.name}+${signature.keyId} does not verify; the note was altered`);
    }
    verifiedBy.push(key);
  }
  if (verifiedBy.length === 0) {
    const found = parsed.signatures.map(({ name, keyId }) => `${name}+${keyId}`).join(', ');
    const known = keys.map(({ name, keyId }) => `${name}+${keyId}`).join(', ') || 'none';
    throw new LedgerError('no-known-signature', `the note is signed by ${found}; known keys: ${known}`);
  }
  return { ...parsed, verifiedBy };
}

/** Signs a text (ending in a newline) as a note. @throws LedgerError 'malformed-note', 'malformed-key' */
export function signNote(text: string, signer: NoteSigner): string {
  if (!text.endsWith('\n')) throw malformed('its text does not end in a newline');
  decodeText(text);
  const { keyId } = verifierKey('log', signer.name, publicKeyFromSeed(signer.seed));
  return `${text}\n${formatSignature({ name: signer.name, keyId, bytes: signEd25519(Buffer.from(text), signer.seed) })}`;
}

/** Adds signature lines, e.g. cosignatures, behind those a note has. @throws LedgerError 'malformed-note' */
export function appendSignatures(note: string, signatures: readonly NoteSignature[]): string {
  const extended = note + signatures.map(formatSignature).join('');
  parseNote(extended);
  return extended;
}

/** `— name base64(keyID ‖ signature)` with its newline. */
export function formatSignature({ name, keyId, bytes }: NoteSignature): string {
  return `${SIGNATURE_PREFIX}${name} ${encodeBase64(Buffer.concat([Buffer.from(keyId, 'hex'), bytes]))}\n`;
}

function verifyNoteSignature(text: string, signature: NoteSignature, key: VerifierKey): boolean {
  switch (key.kind) {
    case 'log':
      return verifyEd25519(Buffer.from(text), signature.bytes, key.publicKey);
    case 'witness':
      return verifyCosignature(text, signature.bytes, key.publicKey) !== undefined;
  }
}

function parseSignatureLine(line: string): NoteSignature {
  if (!line.startsWith(SIGNATURE_PREFIX)) throw malformed(`"${line.slice(0, 80)}" is not a signature line`);
  const [name = '', base64 = '', ...rest] = line.slice(SIGNATURE_PREFIX.length).split(' ');
  const bytes = decodeBase64(base64);
  if (rest.length > 0 || !isKeyName(name) || !bytes || bytes.length < 5) throw malformed(`"${line.slice(0, 80)}" is not a signature line`);
  return { name, keyId: Buffer.from(bytes.subarray(0, 4)).toString('hex'), bytes: bytes.slice(4) };
}

function decodeText(note: string | Uint8Array): string {
  if (note.length > MAX_NOTE_BYTES) throw malformed(`it has ${note.length} bytes; at most ${MAX_NOTE_BYTES} are read`);
  let text: string;
  try {
    text = typeof note === 'string' ? note : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(note);
  } catch {
    throw malformed('it is not UTF-8');
  }
  if (!text.isWellFormed()) throw malformed('it is not UTF-8');
  // oxlint-disable-next-line no-control-regex -- finding control characters is the point
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw malformed('it has a control character other than newline');
  return text;
}

function malformed(reason: string): LedgerError {
  return new LedgerError('malformed-note', `this is not a signed note: ${reason}`);
}
