import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseStatement } from '@coferment/consortium';

/** What the sites trained with, as each signed it with its contribution: read from the exported ledger, sorted, each once. */
export async function trainedBackends(ledgerFolder: string): Promise<string[]> {
  const payloads = join(ledgerFolder, 'payloads');
  const backends = new Set<string>();
  for (const file of await readdir(payloads)) {
    const statement = parseStatement(await readFile(join(payloads, file)));
    if (statement.name === 'contribution' && statement.predicate.kind === 'update') backends.add(statement.predicate.backend);
  }
  return [...backends].sort();
}
