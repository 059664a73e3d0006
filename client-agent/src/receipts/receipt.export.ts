import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { formatBundle, parseEntryProof, parseVkey, payloadPath, POLICY_PATH } from '@coferment/ledger';
import type { StoredReceipt } from './stored.receipt.js';

/** Folder of one receipt within an export. */
export function receiptFolder({ receipt }: StoredReceipt): string {
  return `${receipt.run}-sum-${receipt.sum}`;
}

/**
 * Writes what others need to check one receipt, in the two forms that tools read: tlog-proofs with their statements beside them, and Sigstore bundles that
 * hold theirs. Nothing in it opens a commitment.
 * @returns the paths within `out`
 */
export function exportReceipt(stored: StoredReceipt, logVkey: string, out: string): string[] {
  const { material, contribution } = stored;
  const freeze = Buffer.from(material.freeze);
  const logKey = parseVkey(logVkey);
  const bundle = (proof: string, payload: Uint8Array) => `${JSON.stringify(formatBundle(parseEntryProof(proof), payload, logKey))}\n`;
  const files: [string, string | Uint8Array][] = [
    ['contribution.tlog-proof', material.contributionProof],
    ['contribution.sigstore.json', bundle(material.contributionProof, contribution)],
    ['freeze.tlog-proof', material.freezeProof],
    ['freeze.sigstore.json', bundle(material.freezeProof, freeze)],
    [payloadPath(sha256Hex(contribution)), contribution],
    [payloadPath(sha256Hex(freeze)), freeze],
    [POLICY_PATH, material.policy],
  ];
  return files.map(([name, content]) => {
    const path = join(receiptFolder(stored), name);
    mkdirSync(dirname(join(out, path)), { recursive: true });
    writeFileSync(join(out, path), content);
    return path;
  });
}
