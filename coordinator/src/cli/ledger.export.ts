import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Statement } from '@coferment/consortium';
import { writeLedger } from '@coferment/ledger';
import { readFacts } from '../identity/consortium.identity.js';
import { readLedger, statementsOf } from './ledger.reader.js';
import { type OperatorClient, downloadObject } from './operator.client.js';

export interface WrittenLedger {
  entries: number;
  objects: number;
  logVkey: string;
  out: string;
}

/** Writes the ledger in the layout that the auditor's command reads, with the objects from which models can be recomputed. */
export async function exportLedger(client: OperatorClient, folder: string, out: string): Promise<WrittenLedger> {
  const { logVkey } = readFacts(folder);
  const content = await readLedger(client);
  const digests = new Set(statementsOf(content).flatMap(publishedObjects));
  const objects: Uint8Array[] = [];
  for (const digest of digests) objects.push(await downloadObject(client, digest));
  const write = async (path: string, bytes: Uint8Array) => {
    const file = join(out, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  };
  await writeLedger(write, { ...content, policy: `log ${logVkey}\nquorum none\n`, objects });
  return { entries: content.entries.length, objects: objects.length, logVkey, out };
}

/** Plans, rosters and opened sums. Ciphertexts and shares are many times larger and stay with the coordinator. */
function publishedObjects({ name, predicate }: Statement): string[] {
  if (name === 'plan-published') return [predicate.plan];
  if (name === 'key-epoch') return [predicate.roster];
  return name === 'aggregate' ? [predicate.sumObject] : [];
}
