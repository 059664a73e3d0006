import { z } from 'zod';

const positive = z.number().positive();
const whole = z.number().int().positive();
const notNegative = z.number().min(0);

const figure = z.strictObject({
  medianMs: notNegative,
  minMs: notNegative,
  maxMs: notNegative,
  spreadPercent: notNegative,
  medianCpuMs: notNegative,
  runs: whole,
});

const comparison = z.strictObject({ encryptedMs: positive, plaintextMs: positive, ratio: positive });

const caseReport = z.strictObject({
  parameters: whole,
  sites: whole,
  keyHolders: whole,
  threshold: whole,
  parameterSet: z.string(),
  blocks: whole,
  /** Sites whose key, vector and upload are their own; the others repeat them. */
  distinctUploads: whole,
  /** Timed runs of each phase; `encrypt` and `share` have more where there are more distinct sites or holders. */
  runs: whole,
  /** Only in cases too large to repeat: receiving, opening and publishing ran once, with no run before it to warm up. */
  measuredOnce: z.literal(true).optional(),
  /** Of one upload as it crossed the wire, with TLS, HTTP/2 and the signed statement. */
  bytesPerParameter: positive,
  shareBytesPerParameter: positive,
  sumBytesPerParameter: positive,
  plaintextBytesPerParameter: positive,
  /** Critical path: one site, then the coordinator with all uploads and shares, and one holder; publication included, training not. */
  encryptedMs: positive,
  plaintextMs: positive,
  ratio: positive,
  parties: z.strictObject({ siteMs: positive, coordinatorMs: positive, holderMs: positive }),
  /** The same with one upload and one share instead of all. */
  oneUpload: comparison,
  /** Computed: bytes over a line of 100 Mbit/s for every site, and measured work. */
  at100Mbit: comparison,
  totalCpuMs: positive,
  plaintextCpuMs: positive,
  cpuRatio: positive,
  coordinatorPeakMemoryMB: positive,
  coordinatorIdleMemoryMB: positive,
  /** Of the two parts of a round; receiving before the first opening, so without worker threads that are still there. */
  receivingPeakMemoryMB: positive,
  /** Until the sum is in its file, and with its values read, the model made and published. */
  summingPeakMemoryMB: positive,
  openingPeakMemoryMB: positive,
  /** `encrypt` and `share` contain `expand`; they, `sum` and `combine` are on one thread. `…InPool` is what agents and coordinator do: the critical path. */
  phases: z.strictObject({
    expand: figure,
    encrypt: figure,
    encryptInPool: figure,
    loneUpload: figure,
    uploads: figure,
    sum: figure,
    share: figure,
    shareInPool: figure,
    loneShareUpload: figure,
    shareUploads: figure,
    combine: figure,
    openInPool: figure,
    publish: figure,
  }),
  plaintextPhases: z.strictObject({ loneUpload: figure, uploads: figure, sum: figure, publish: figure }),
});

const sumReport = z.strictObject({
  /** Median, slowest and fastest run; 10⁶ bytes of uploads a second. */
  megabytesPerSecond: positive,
  lowest: positive,
  highest: positive,
  uploads: whole,
  uploadBytes: whole,
  keptBits: whole,
  parts: z.strictObject({ readMs: notNegative, hashMs: notNegative, addMs: notNegative, reduceMs: notNegative }),
});

/** What one run of the benchmark writes. Names are fixed: other programs read them. */
export const reportSchema = z.strictObject({
  format: z.literal('coferment-bench/1'),
  takenAt: z.iso.datetime(),
  extent: z.enum(['quick', 'default', 'full', 'chosen']),
  seconds: positive,
  /** Only in a report whose bench has not come to its end, or never did: the cases that it has, of those that it was asked for. */
  unfinished: z.strictObject({ casesMeasured: whole, casesAsked: whole }).optional(),
  machine: z.strictObject({
    cpu: z.string(),
    cores: whole,
    node: z.string(),
    memoryMB: positive,
    /** One, five and fifteen minutes. What ran before the benchmark shows in the first. */
    loadAverageBefore: z.array(notNegative).length(3),
    loadAverageAfter: z.array(notNegative).length(3),
  }),
  /** One thread, nothing of Coferment: what the phases are compared with. */
  bounds: z.strictObject({
    memcpyMegabytesPerSecond: positive,
    sha256MegabytesPerSecond: positive,
    aesCtrMegabytesPerSecond: positive,
    limbSumMegabytesPerSecond: positive,
    tlsMegabytesPerSecond: positive,
    storedMegabytesPerSecond: positive,
    nttMs: positive,
    inverseNttMs: positive,
    sealDecryptMs: positive,
  }),
  /** One thread, per whole block of `values` values. */
  perBlock: z.strictObject({
    values: whole,
    sites: whole,
    keyHolders: whole,
    threshold: whole,
    encryptMs: positive,
    shareMs: positive,
    /** With the shares of all holders, every parity relation checked. */
    combineMs: positive,
    /** With as many shares as the threshold, so nothing to check. */
    combineThresholdMs: positive,
    expandMs: positive,
    /** Drawing, proving and sealing a dealing, and checking those of all sites as a holder does. */
    dealMsPerSite: positive,
    dealMs: positive,
    sealMs: positive,
    checkMs: positive,
    /** Bytes that a block's share noise takes from its stream. */
    noiseBytes: whole,
    figures: z.record(z.string(), figure),
  }),
  /** Files of uploads in the page cache: read, SHA-256, added, reduced once a block; one thread. */
  sum: sumReport.extend({ hundredSites: sumReport }),
  cases: z.array(caseReport).min(1),
});

export type BenchReport = z.infer<typeof reportSchema>;
export type CaseReport = z.infer<typeof caseReport>;
