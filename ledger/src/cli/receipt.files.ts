import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { bytesToHex, sha256Hex } from '@coferment/crypto';
import { parseEntry } from '../entry/index.js';
import { payloadPath, readFolder } from '../export/index.js';
import type { VerifierKey } from '../note/index.js';
import {
  type EntryProof,
  type ProvenStatement,
  TLOG_PROOF_HEADER,
  contentOf,
  parseBundle,
  parseEntryProof,
  proveStatement,
  verifyBundle,
} from '../receipt/index.js';

/** What was found in one file. */
export type ReadReceipt =
  | { readonly file: string; readonly outcome: 'proven'; readonly proven: ProvenStatement }
  /** The entry is in the log, but its statement is not at hand. */
  | { readonly file: string; readonly outcome: 'no-statement'; readonly payloadHash: string; readonly key: string }
  | { readonly file: string; readonly outcome: 'refused'; readonly reason: string };

interface ParsedFile {
  readonly file: string;
  readonly bundle?: ReturnType<typeof parseBundle>;
  readonly proof?: EntryProof;
  readonly payload?: Uint8Array;
  readonly refusal?: string;
}

/**
 * Reads proofs, bundles and statements in any mixture. A proof does not carry its statement: that is looked for among the other files, then in `payloads/`
 * beside the file, then in the ledger's folder. Wherever it comes from, its hash must be the entry's.
 * @throws Error for a file that cannot be read at all
 */
export async function readReceipts(
  files: readonly string[],
  keys: readonly VerifierKey[],
  ledger: string | undefined,
): Promise<ReadReceipt[]> {
  const parsed = await Promise.all(files.map(parseFile));
  const payloads = new Map(parsed.flatMap(({ payload }) => (payload ? [[sha256Hex(payload), payload] as const] : [])));
  const receipts: ReadReceipt[] = [];
  for (const { file, bundle, proof, refusal } of parsed) {
    if (refusal !== undefined) receipts.push({ file, outcome: 'refused', reason: refusal });
    else if (bundle) receipts.push(proven(file, () => verifyBundle(bundle, keys)));
    else if (proof) receipts.push(await proveFile(file, proof, payloads, keys, ledger));
  }
  return receipts;
}

async function parseFile(file: string): Promise<ParsedFile> {
  const bytes = new Uint8Array(await readFile(file));
  const text = Buffer.from(bytes).toString('utf8');
  try {
    if (text.startsWith(TLOG_PROOF_HEADER)) return { file, proof: parseEntryProof(text) };
    // A statement is named by its digest, as in an export; whatever else is JSON must be a bundle.
    if (basename(file) === `${sha256Hex(bytes)}.json`) return { file, payload: bytes };
    const bundle = parseBundle(text);
    return { file, bundle, payload: contentOf(bundle).payload };
  } catch (error) {
    return { file, refusal: (error as Error).message };
  }
}

async function proveFile(
  file: string,
  proof: EntryProof,
  payloads: ReadonlyMap<string, Uint8Array>,
  keys: readonly VerifierKey[],
  ledger: string | undefined,
): Promise<ReadReceipt> {
  try {
    const { payloadHash, publicKey } = parseEntry(proof.entry);
    const path = payloadPath(payloadHash);
    const payload =
      payloads.get(payloadHash) ??
      (await readFolder(dirname(file))(path)) ??
      (ledger === undefined ? undefined : await readFolder(ledger)(path));
    if (!payload) return { file, outcome: 'no-statement', payloadHash, key: bytesToHex(publicKey) };
    return proven(file, () => proveStatement(proof, payload, keys));
  } catch (error) {
    return { file, outcome: 'refused', reason: (error as Error).message };
  }
}

function proven(file: string, prove: () => ProvenStatement): ReadReceipt {
  try {
    return { file, outcome: 'proven', proven: prove() };
  } catch (error) {
    return { file, outcome: 'refused', reason: (error as Error).message };
  }
}
