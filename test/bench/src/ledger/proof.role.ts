import { leafHash, verifyConsistency, verifyInclusion } from '@coferment/ledger';
import type { LedgerLog } from '../../../../coordinator/dist/publication/ledger.log.js';
import { median } from '../measure/sample.statistics.js';
import { settledMemory } from '../roles/process.memory.js';
import { openBenchDatabase } from './bench.database.js';

/** A coordinator's ledger as it starts, in a process of its own. Argument: folder of a filled database. */
const [folder = ''] = process.argv.slice(2);
const [COLD, WARM] = [100, 1000] as const;
const { database, open } = await openBenchDatabase(folder);
const empty = settledMemory();

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, value };
}

const log = open();
const start = await timed(() => log.follow());
const { size } = log;
const root = await log.root();

async function proveInclusion(from: LedgerLog): Promise<number> {
  const index = Math.floor(Math.random() * size);
  const { ms, value: proof } = await timed(() => from.inclusionProof(index, size));
  const [row] = await from.entries(index, 1);
  const claim = { leafHash: leafHash(row!.entry), index: BigInt(index), size: BigInt(size), root, proof };
  if (!verifyInclusion(claim)) throw new Error(`the proof of entry ${index} does not hold`);
  return ms;
}

async function proveConsistency(): Promise<number> {
  const older = 1 + Math.floor(Math.random() * size);
  const { ms, value: proof } = await timed(() => log.consistencyProof(older, size));
  const claim = { olderSize: BigInt(older), olderRoot: await log.root(older), newerSize: BigInt(size), newerRoot: root, proof };
  if (!verifyConsistency(claim)) throw new Error(`the proof from ${older} does not hold`);
  return ms;
}

const starts: number[] = [];
const cold: number[] = [];
for (let run = 0; run < COLD; run++) {
  const fresh = open();
  starts.push((await timed(() => fresh.follow())).ms);
  cold.push(await proveInclusion(fresh));
}
const warm: number[] = [];
const consistency: number[] = [];
for (let run = 0; run < WARM; run++) {
  warm.push(await proveInclusion(log));
  consistency.push(await proveConsistency());
}
const figure = (values: number[]) => ({ median: median(values), least: Math.min(...values), most: Math.max(...values) });
process.stdout.write(
  JSON.stringify({
    entries: size,
    firstStartMs: start.ms,
    startMs: figure(starts),
    coldMs: figure(cold),
    warmMs: figure(warm),
    consistencyMs: figure(consistency),
    emptyMb: empty,
    servingMb: settledMemory(),
  }),
);
await database.close();
