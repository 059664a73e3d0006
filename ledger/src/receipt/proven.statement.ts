import { type Statement, parseStatement } from '@coferment/consortium';
import { type LedgerEntry, parseEntry, verifyEntry } from '../entry/index.js';
import type { OpenedCheckpoint, VerifierKey } from '../note/index.js';
import { type EntryProof, verifyTlogProof } from './tlog.proof.js';

/** A signed statement whose entry is in the log. That its key is a member's, only the log itself can say. */
export interface ProvenStatement {
  readonly index: bigint;
  readonly entry: LedgerEntry;
  readonly statement: Statement;
  /** With all given keys that have signed it: who counts as a witness is the reader's policy. */
  readonly checkpoint: OpenedCheckpoint;
}

/**
 * Everything that one proof and its statement can show without anybody's help: the entry is in the tree, the tree is signed, and the statement is the one that
 * the entry's key signed.
 * @param payload the signed bytes, which travel beside the log
 * @throws LedgerError, or ConsortiumError for a payload that is no statement
 */
export function proveStatement(proof: EntryProof, payload: Uint8Array, keys: readonly VerifierKey[]): ProvenStatement {
  const checkpoint = verifyTlogProof(proof, proof.entry, keys);
  const entry = parseEntry(proof.entry);
  verifyEntry(entry, payload);
  return { index: proof.index, entry, statement: parseStatement(payload), checkpoint };
}
