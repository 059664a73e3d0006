import { randomBytes } from 'node:crypto';
import { openBenchDatabase } from './bench.database.js';

/** Fills a ledger with entries of usual lengths that nobody signed: the tree does not mind. Arguments: folder, entries. Tells how far it is. */
const [folder = '', entries = '0'] = process.argv.slice(2);
const [ENTRY_BYTES, PAYLOAD_BYTES, BATCH] = [430, 900, 2000] as const;
const { database, repository, open } = await openBenchDatabase(folder);
const log = open();
for (let made = 0; made < Number(entries); made += BATCH) {
  const rows = Array.from({ length: Math.min(BATCH, Number(entries) - made) }, () => ({
    entry: randomBytes(ENTRY_BYTES),
    payload: randomBytes(PAYLOAD_BYTES),
  }));
  await database.transaction((manager) => repository.append(manager, rows));
  await log.follow();
  if (made % 50_000 === 0) process.stderr.write(`${made} of ${entries} entries\n`);
}
await database.close();
