import { generateIdentity, loadCrypto, signEnvelope } from '@coferment/crypto';
import { median } from '../measure/sample.statistics.js';
import { openBenchDatabase } from './bench.database.js';

/** A process of its own. Arguments: folder, acts a transaction, transactions. Acts are signed before the clock runs: that is the sites' work. */
const [folder = '', batch = '1', transactions = '1'] = process.argv.slice(2);
await loadCrypto();
const identity = generateIdentity();
/** As long as a contribution is. */
const STATEMENT = 'x'.repeat(900);
const { database, open } = await openBenchDatabase(folder);
const log = open();
await log.follow();

const rates: number[] = [];
const cpu: number[] = [];
for (let run = 0; run <= Number(transactions); run++) {
  const acts = Array.from({ length: Number(batch) }, (_, place) => ({
    envelope: signEnvelope(Buffer.from(JSON.stringify({ run, place, STATEMENT })), identity),
    publicKey: identity.publicKey,
  }));
  const before = process.cpuUsage();
  const start = performance.now();
  await database.transaction((manager) => log.appendAll(manager, acts));
  await log.follow();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  // The first one prepares the statements.
  if (run === 0) continue;
  rates.push(acts.length / seconds);
  cpu.push((user + system) / acts.length);
}
const figures = { median: median(rates), least: Math.min(...rates), most: Math.max(...rates), cpuMicroseconds: median(cpu) };
process.stdout.write(JSON.stringify(figures));
await database.close();
