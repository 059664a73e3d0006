import { parseVkey, policyOfLogKey, readFolder, verifyExport } from '@coferment/ledger';
import { peakMemory } from '../roles/process.memory.js';

/** A process of its own for each measurement, so that its peak of memory is that of the verification. Arguments: folder, log key, threads. */
const [folder = '', vkey = '', threads = '1'] = process.argv.slice(2);
const start = performance.now();
const { verdict, log } = await verifyExport(readFolder(folder), { policy: policyOfLogKey(parseVkey(vkey)), threads: Number(threads) });
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage();
const cpuSeconds = (user + system) / 1e6;
process.stdout.write(JSON.stringify({ verdict, entries: Number(log?.size), seconds, cpuSeconds, peakMb: peakMemory() }));
