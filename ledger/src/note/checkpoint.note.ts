import { LedgerError } from '../errors/index.js';
import { isTreeSize } from '../proof/tree.size.js';
import { HASH_BYTES, requireHash } from '../tree/node.hash.js';
import { decodeBase64, encodeBase64 } from './base64.text.js';
import { type NoteSigner, type OpenedNote, openNote, signNote } from './signed.note.js';
import { type VerifierKey, isKeyName } from './verifier.key.js';

/** What a log commits to: all its entries, in this order. */
export interface Checkpoint {
  /** The log's name: a URL without scheme, spaces or "+". */
  readonly origin: string;
  readonly size: bigint;
  /** Tree hash of the first `size` entries, 32 bytes. */
  readonly root: Uint8Array;
}

export interface OpenedCheckpoint extends Checkpoint {
  readonly note: OpenedNote;
}

/** C2SP tlog-checkpoint v1.0.0: three lines. Extension lines are never written, because no monitor can audit them. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (!isKeyName(origin)) throw malformed(`"${origin}" cannot be an origin: it must have no spaces and no "+"`);
  if (!isTreeSize(size)) throw malformed(`${size} is not a tree size`);
  return `${origin}\n${size}\n${encodeBase64(requireHash(root, 'the root'))}\n`;
}

/** @throws LedgerError 'malformed-checkpoint'; extension lines are refused, since this log never signs one */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split('\n');
  if (lines.length !== 4 || lines[3] !== '') throw malformed(`it has ${lines.length - 1} lines; origin, size and root are exactly three`);
  const [origin = '', sizeText = '', rootText = ''] = lines;
  if (!isKeyName(origin)) throw malformed(`"${origin.slice(0, 100)}" cannot be an origin`);
  if (!/^(?:0|[1-9][0-9]{0,19})$/.test(sizeText) || !isTreeSize(BigInt(sizeText)))
    throw malformed(`"${sizeText.slice(0, 40)}" is not a tree size`);
  const root = decodeBase64(rootText);
  if (root?.length !== HASH_BYTES) throw malformed(`"${rootText.slice(0, 60)}" is not the base64 form of a SHA-256 hash`);
  return { origin, size: BigInt(sizeText), root };
}

/** The checkpoint as a note signed by the log; the key is named by the origin. */
export function signCheckpoint(checkpoint: Checkpoint, seed: Uint8Array): string {
  const signer: NoteSigner = { name: checkpoint.origin, seed };
  return signNote(formatCheckpoint(checkpoint), signer);
}

/**
 * Verifies first, reads then. One of the keys must be the log's: witnesses alone do not make a checkpoint.
 * @throws LedgerError of {@link openNote}; 'malformed-checkpoint'; 'no-known-signature' when no log key whose name is the origin has signed
 */
export function openCheckpoint(note: string | Uint8Array, keys: readonly VerifierKey[]): OpenedCheckpoint {
  const opened = openNote(note, keys);
  const checkpoint = parseCheckpoint(opened.text);
  if (!opened.verifiedBy.some((key) => key.kind === 'log' && key.name === checkpoint.origin)) {
    throw new LedgerError('no-known-signature', `the checkpoint of "${checkpoint.origin}" is not signed by a known key of that log`);
  }
  return { ...checkpoint, note: opened };
}

function malformed(reason: string): LedgerError {
  return new LedgerError('malformed-checkpoint', `this is not a checkpoint: ${reason}`);
}
