import { leafHash, verifyConsistency, verifyInclusion } from '@coferment/ledger';
import type { LedgerLog } from '../../../../coordinator/dist/publication/ledger.log.js';
import { type Sample, median, timed } from '../measure/sample.statistics.js';
import { settledMemory } from '../roles/process.memory.js';
import { openBenchDatabase } from './bench.database.js';

/** A coordinator's ledger as it starts, in a process of its own. Argument: folder of a filled database. */
const [folder = ''] = process.argv.slice(2);
const [COLD, WARM] = [100, 1000] as const;
const { database, open } = await openBenchDatabase(folder);
const empty = settledMemory();

const log = open();
const start = await timed(() => log.follow());
const { size } = log;
const root = await log.root();

async function proveInclusion(from: LedgerLog): Promise<Sample> {
  const index = Math.floor(Math.random() * size);
  const { sample, value: proof } = await timed(() => from.inclusionProof(index, size));
  const [row] = await from.entries(index, 1);
  const claim = { leafHash: leafHash(row!.entry), index: BigInt(index), size: BigInt(size), root, proof };
  if (!verifyInclusion(claim)) throw new Error(`the proof of entry ${index} does not hold`);
  return sample;
}

async function proveConsistency(): Promise<Sample> {
  const older = 1 + Math.floor(Math.random() * size);
  const { sample, value: proof } = await timed(() => log.consistencyProof(older, size));
  const claim = { olderSize: BigInt(older), olderRoot: await log.root(older), newerSize: BigInt(size), newerRoot: root, proof };
  if (!verifyConsistency(claim)) throw new Error(`the proof from ${older} does not hold`);
  return sample;
}

const starts: Sample[] = [];
const cold: Sample[] = [];
for (let run = 0; run < COLD; run++) {
  const fresh = open();
  starts.push((await timed(() => fresh.follow())).sample);
  cold.push(await proveInclusion(fresh));
}
const warm: Sample[] = [];
const consistency: Sample[] = [];
for (let run = 0; run < WARM; run++) {
  warm.push(await proveInclusion(log));
  consistency.push(await proveConsistency());
}
const figure = (samples: Sample[]) => {
  const times = samples.map(({ ms }) => ms);
  return { median: median(times), least: Math.min(...times), most: Math.max(...times), cpu: median(samples.map(({ cpuMs }) => cpuMs)) };
};
process.stdout.write(
  JSON.stringify({
    entries: size,
    firstStartMs: start.sample.ms,
    startMs: figure(starts),
    coldMs: figure(cold),
    warmMs: figure(warm),
    consistencyMs: figure(consistency),
    emptyMb: empty,
    servingMb: settledMemory(),
  }),
);
await database.close();
