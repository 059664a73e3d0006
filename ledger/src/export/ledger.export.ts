import { sha256Hex } from '@coferment/crypto';
import type { MerkleTree } from '../tree/index.js';
import { type WriteFile, exportTiles } from '../tiles/index.js';

/** Where things are in an exported ledger, relative to its folder; tiles are beside them under `tile/`. */
export const CHECKPOINT_PATH = 'checkpoint';
/** The log's own policy. A reader who has no key from elsewhere can check the export against itself with it, and nothing more. */
export const POLICY_PATH = 'policy.txt';

/** The signed bytes of one statement. */
export function payloadPath(sha256: string): string {
  return `payloads/${sha256}.json`;
}

/** A stored object (ciphertext, share, sum, plan, roster) that statements refer to by its SHA-256. */
export function objectPath(sha256: string): string {
  return `objects/${sha256}`;
}

export interface LedgerExport {
  /** The signed checkpoint, word for word; its size is the number of entries. */
  readonly checkpoint: string;
  readonly entries: readonly Uint8Array[];
  /** Payloads exactly as signed, in any order. */
  readonly payloads: Iterable<Uint8Array>;
  readonly policy: string;
}

/** Writes everything that the auditor's command reads but the objects. The checkpoint comes last: until it is there, nothing is claimed. */
export async function writeLedger(write: WriteFile, ledger: LedgerExport): Promise<MerkleTree> {
  for (const payload of ledger.payloads) await write(payloadPath(sha256Hex(payload)), payload);
  const tree = await exportTiles(write, ledger.entries);
  await write(POLICY_PATH, new TextEncoder().encode(ledger.policy));
  await write(CHECKPOINT_PATH, new TextEncoder().encode(ledger.checkpoint));
  return tree;
}
