import { LedgerError } from '../errors/index.js';
import { type OpenedCheckpoint, type VerifierKey, openCheckpoint } from '../note/index.js';
import { decodeBase64, encodeBase64 } from '../note/base64.text.js';
import { isTreeSize, verifyInclusion } from '../proof/index.js';
import { HASH_BYTES, leafHash } from '../tree/index.js';

/** Proof that an entry is in the log, which can be checked on paper years later with the log's key alone. */
export interface TlogProof {
  readonly index: bigint;
  readonly proof: readonly Uint8Array[];
  /** The signed (and cosigned) checkpoint, word for word. */
  readonly checkpoint: string;
}

/** With the entry that it is about, so that one file says all that the log says. */
export interface EntryProof extends TlogProof {
  readonly entry: Uint8Array;
}

/** What came out of a file: its extra data are nobody's word until the proof has put them into the tree. */
export interface ReadTlogProof extends TlogProof {
  readonly extra: Uint8Array | undefined;
}

export const TLOG_PROOF_HEADER = 'c2sp.org/tlog-proof@v1';
// A path in a tree of 2^64 leaves has 64 hashes.
const MAX_PROOF_HASHES = 64;

/** The text of a `.tlog-proof` file (C2SP tlog-proof), with the entry as its extra data. */
export function formatTlogProof({ index, entry, proof, checkpoint }: EntryProof): string {
  return [TLOG_PROOF_HEADER, `extra ${encodeBase64(entry)}`, `index ${index}`, ...proof.map(encodeBase64), '', checkpoint].join('\n');
}

/** @throws LedgerError 'malformed-receipt' */
export function parseTlogProof(text: string): ReadTlogProof {
  const separator = text.indexOf('\n\n');
  if (separator < 0) throw malformed('there is no empty line before the checkpoint');
  const [header, ...lines] = text.slice(0, separator).split('\n');
  if (header !== TLOG_PROOF_HEADER) throw malformed(`its first line is not ${TLOG_PROOF_HEADER}`);
  const extra = readExtra(lines);
  const index = /^index (0|[1-9][0-9]{0,19})$/.exec(lines.shift() ?? '');
  if (!index || !isTreeSize(BigInt(index[1]!))) throw malformed('it has no line "index N"');
  if (lines.length > MAX_PROOF_HASHES) throw malformed(`its proof has ${lines.length} hashes; at most ${MAX_PROOF_HASHES} are possible`);
  const proof = lines.map((line) => {
    const hash = decodeBase64(line);
    if (hash?.length !== HASH_BYTES) throw malformed(`"${line.slice(0, 60)}" is not the base64 form of a SHA-256 hash`);
    return hash;
  });
  return { index: BigInt(index[1]!), proof, checkpoint: text.slice(separator + 2), extra };
}

/** For a file that must stand alone. @throws LedgerError 'malformed-receipt' also when it does not carry its entry */
export function parseEntryProof(text: string): EntryProof {
  const { extra, ...proof } = parseTlogProof(text);
  if (extra === undefined) throw malformed('it does not carry its entry (no "extra" line), so there is nothing that it could prove');
  return { ...proof, entry: extra };
}

/**
 * Verifies that this entry is in the log of these keys.
 * @returns the checkpoint, with the keys that signed it: the caller counts witnesses
 * @throws LedgerError 'bad-signature' and others of {@link openCheckpoint}; 'malformed-receipt' when the proof does not hold
 */
export function verifyTlogProof(
  { index, proof, checkpoint }: TlogProof,
  entry: Uint8Array,
  keys: readonly VerifierKey[],
): OpenedCheckpoint {
  const opened = openCheckpoint(checkpoint, keys);
  if (!verifyInclusion({ leafHash: leafHash(entry), index, size: opened.size, root: opened.root, proof })) {
    throw malformed(`its proof does not put this entry at index ${index} of the ${opened.size} entries of "${opened.origin}"`);
  }
  return opened;
}

function readExtra(lines: string[]): Uint8Array | undefined {
  const extra = /^extra (.*)$/.exec(lines[0] ?? '');
  if (!extra) return undefined;
  const bytes = decodeBase64(extra[1]!);
  if (!bytes) throw malformed('its extra line is not base64');
  lines.shift();
  return bytes;
}

function malformed(reason: string): LedgerError {
  return new LedgerError('malformed-receipt', `this receipt does not hold: ${reason}`);
}
