import { LedgerError } from '../errors/index.js';
import { type OpenedCheckpoint, type VerifierKey, openCheckpoint } from '../note/index.js';
import { decodeBase64, encodeBase64 } from '../note/base64.text.js';
import { isTreeSize, verifyInclusion } from '../proof/index.js';
import { HASH_BYTES, leafHash } from '../tree/index.js';

/** Proof that an entry is in the log, which can be checked on paper years later with the log's key alone. */
export interface ContributionReceipt {
  readonly index: bigint;
  readonly proof: readonly Uint8Array[];
  /** The signed (and cosigned) checkpoint, word for word. */
  readonly checkpoint: string;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
// A path in a tree of 2^64 leaves has 64 hashes.
const MAX_PROOF_HASHES = 64;

/** The text of a `.tlog-proof` file (C2SP tlog-proof). */
export function formatReceipt({ index, proof, checkpoint }: ContributionReceipt): string {
  return [HEADER, `index ${index}`, ...proof.map(encodeBase64), '', checkpoint].join('\n');
}

/** Reads a receipt. An `extra` line is accepted and ignored, since nothing authenticates it. @throws LedgerError 'malformed-receipt' */
export function parseReceipt(text: string): ContributionReceipt {
  const separator = text.indexOf('\n\n');
  if (separator < 0) throw malformed('there is no empty line before the checkpoint');
  const [header, ...lines] = text.slice(0, separator).split('\n');
  if (header !== HEADER) throw malformed(`its first line is not ${HEADER}`);
  const extra = /^extra (.*)$/.exec(lines[0] ?? '');
  if (extra) {
    if (!decodeBase64(extra[1]!)) throw malformed('its extra line is not base64');
    lines.shift();
  }
  const index = /^index (0|[1-9][0-9]{0,19})$/.exec(lines.shift() ?? '');
  if (!index || !isTreeSize(BigInt(index[1]!))) throw malformed('it has no line "index N"');
  if (lines.length > MAX_PROOF_HASHES) throw malformed(`its proof has ${lines.length} hashes; at most ${MAX_PROOF_HASHES} are possible`);
  const proof = lines.map((line) => {
    const hash = decodeBase64(line);
    if (hash?.length !== HASH_BYTES) throw malformed(`"${line.slice(0, 60)}" is not the base64 form of a SHA-256 hash`);
    return hash;
  });
  return { index: BigInt(index[1]!), proof, checkpoint: text.slice(separator + 2) };
}

/**
 * Verifies that this entry is in the log of these keys.
 * @returns the checkpoint, with the keys that signed it: the caller counts witnesses
 * @throws LedgerError 'bad-signature' and others of {@link openCheckpoint}; 'malformed-receipt' when the proof does not hold
 */
export function verifyReceipt(receipt: ContributionReceipt, entry: Uint8Array, keys: readonly VerifierKey[]): OpenedCheckpoint {
  const checkpoint = openCheckpoint(receipt.checkpoint, keys);
  const { index, proof } = receipt;
  if (!verifyInclusion({ leafHash: leafHash(entry), index, size: checkpoint.size, root: checkpoint.root, proof })) {
    throw malformed(`its proof does not put this entry at index ${index} of the ${checkpoint.size} entries of "${checkpoint.origin}"`);
  }
  return checkpoint;
}

function malformed(reason: string): LedgerError {
  return new LedgerError('malformed-receipt', `this receipt does not hold: ${reason}`);
}
