import { ms } from './report.cells.js';
import type { BenchReport } from './report.schema.js';
import type { Cells } from './text.table.js';

/** STANDARD: three data primes, 8192 coefficients, words of 64 bits. */
const ELEMENT_BYTES = 3 * 8192 * 8;

interface Bound {
  phase: string;
  what: string;
  seen: number;
  bound: number;
  unit: 'ms' | 'MB/s';
}

/** What each phase could be at best on this machine with the same primitives, on one thread, and what it is. */
export function boundsOf({ bounds, perBlock, sum, cases }: BenchReport): Bound[] {
  const aesMs = (bytes: number): number => bytes / (bounds.aesCtrMegabytesPerSecond * 1e3);
  const expand = aesMs(ELEMENT_BYTES);
  // Bytes are read, hashed and added in turn: times add up, so rates add as reciprocals.
  const summing = 1 / (1 / bounds.memcpyMegabytesPerSecond + 1 / bounds.sha256MegabytesPerSecond + 1 / bounds.limbSumMegabytesPerSecond);
  const largest = cases.reduce((a, b) => (b.parameters * b.sites > a.parameters * a.sites ? b : a));
  const uploaded = (largest.bytesPerParameter * largest.parameters * largest.sites) / 1e3 / largest.phases.uploads.medianMs;
  const rate = (phase: string, what: string, seen: number, bound: number): Bound => ({ phase, what, seen, bound, unit: 'MB/s' });
  const time = (phase: string, what: string, seen: number, bound: number): Bound => ({ phase, what, seen, bound, unit: 'ms' });
  return [
    time('expand, a block', 'AES-256-CTR of 196,608 bytes', perBlock.expandMs, expand),
    time('encrypt, a block', "expand, SEAL's inverse NTT", perBlock.encryptMs, expand + bounds.inverseNttMs),
    time(
      'share, a block',
      "expand, SEAL's inverse NTT, AES for the noise",
      perBlock.shareMs,
      expand + bounds.inverseNttMs + aesMs(perBlock.noiseBytes),
    ),
    time('combine, a block', "SEAL's decryption of one ciphertext", perBlock.combineMs, bounds.sealDecryptMs),
    rate('sum', 'memory, SHA-256, addition, one after the other', sum.megabytesPerSecond, summing),
    rate(
      'upload, all sites',
      'bare TLS, SHA-256, writing and flushing a file, one after the other',
      uploaded,
      1 / (1 / bounds.tlsMegabytesPerSecond + 1 / bounds.sha256MegabytesPerSecond + 1 / bounds.storedMegabytesPerSecond),
    ),
  ];
}

export function boundCells(report: BenchReport): Cells {
  return [
    ['phase', 'bound by', 'bound', 'seen', 'distance'],
    ...boundsOf(report).map(({ phase, what, seen, bound, unit }) => {
      const shown = (value: number): string => (unit === 'ms' ? `${ms(value)} ms` : `${value.toFixed(0)} MB/s`);
      return [phase, what, shown(bound), shown(seen), `${(unit === 'ms' ? seen / bound : bound / seen).toFixed(1)} ×`];
    }),
  ];
}

export function primitiveCells({ bounds }: BenchReport): Cells {
  const rate = (value: number): string => `${value.toFixed(0)} MB/s`;
  return [
    ['what this machine does on one thread', 'seen'],
    ['memcpy, 64 MiB', rate(bounds.memcpyMegabytesPerSecond)],
    ['SHA-256', rate(bounds.sha256MegabytesPerSecond)],
    ['AES-256-CTR', rate(bounds.aesCtrMegabytesPerSecond)],
    ['32-bit words added into 64-bit floats', rate(bounds.limbSumMegabytesPerSecond)],
    ['TLS 1.3 over loopback, one connection, two processes', rate(bounds.tlsMegabytesPerSecond)],
    ['writing and flushing a file of 64 MiB', rate(bounds.storedMegabytesPerSecond)],
    ["SEAL's NTT of one element (3 primes, N = 8192)", `${ms(bounds.nttMs)} ms`],
    ["SEAL's inverse NTT", `${ms(bounds.inverseNttMs)} ms`],
    ["SEAL's decryption of one ordinary ciphertext", `${ms(bounds.sealDecryptMs)} ms`],
  ];
}

/** Where the time of a sum goes, by number of uploads. */
export function sumCells({ sum }: BenchReport): Cells {
  return [
    ['uploads', 'bits kept', 'MB/s', 'read', 'SHA-256', 'add', 'reduce once a block'],
    ...[sum, sum.hundredSites].map(({ uploads, keptBits, megabytesPerSecond, parts }) => {
      const { readMs, hashMs, addMs, reduceMs } = parts;
      const share = (part: number): string => `${((100 * part) / (readMs + hashMs + addMs + reduceMs)).toFixed(0)} %`;
      return [String(uploads), String(keptBits), megabytesPerSecond.toFixed(0), ...[readMs, hashMs, addMs, reduceMs].map(share)];
    }),
  ];
}
