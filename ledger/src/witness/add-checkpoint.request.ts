import { LedgerError } from '../errors/index.js';
import { decodeBase64, encodeBase64 } from '../note/base64.text.js';
import { isTreeSize } from '../proof/index.js';
import { HASH_BYTES } from '../tree/index.js';

/** What a log asks of a witness (C2SP tlog-witness v1.0.0, `add-checkpoint`). */
export interface AddCheckpoint {
  /** Of the checkpoint that the witness is thought to have cosigned last; 0 for none. */
  readonly oldSize: bigint;
  /** RFC 9162 consistency proof from that size; at most 63 hashes. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint. Not read here. */
  readonly note: string;
}

const MAX_PROOF_LINES = 63;

/** The body of the request. */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return [`old ${oldSize}`, ...proof.map(encodeBase64), '', note].join('\n');
}

/** @throws LedgerError 'malformed-request' */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint {
  const text = decode(body);
  const end = text.indexOf('\n\n');
  if (end < 0) throw malformed('there is no empty line before the checkpoint');
  const [sizeLine = '', ...hashLines] = text.slice(0, end).split('\n');
  const size = /^old (0|[1-9][0-9]{0,19})$/.exec(sizeLine)?.[1];
  if (size === undefined || !isTreeSize(BigInt(size))) throw malformed(`"${sizeLine.slice(0, 60)}" is not a line "old <size>"`);
  if (hashLines.length > MAX_PROOF_LINES)
    throw malformed(`its proof has ${hashLines.length} lines; no tree needs more than ${MAX_PROOF_LINES}`);
  const proof = hashLines.map((line) => {
    const hash = decodeBase64(line);
    if (hash?.length !== HASH_BYTES) throw malformed(`"${line.slice(0, 60)}" is not the base64 form of a SHA-256 hash`);
    return hash;
  });
  return { oldSize: BigInt(size), proof, note: text.slice(end + 2) };
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw malformed('it is not UTF-8');
  }
}

function malformed(reason: string): LedgerError {
  return new LedgerError('malformed-request', `this is not an add-checkpoint request: ${reason}`);
}
