import type { BenchCase } from '../case.choice.js';
import type { CaseReport } from '../report/report.schema.js';
import type { CaseResult } from './round.measurement.js';
import { rounded } from './sample.statistics.js';

/** A site's line at 100 Mbit/s. */
const LINE_BYTES_PER_MS = 100e6 / 8 / 1000;

/**
 * What follows from the measured phases. The critical path is one site's work, then everything the one coordinator does, with all uploads coming in at
 * once, then one holder's work, with all shares coming in at once: the parties work one after the other, and each was timed alone.
 */
export function reportCase({ parameters, sites, keyHolders }: BenchCase, result: CaseResult): CaseReport {
  const { plan, phases, plaintextPhases: plain, wire, receivingCpuMs, memory, runs, isOnce } = result;
  const { set, threshold } = plan.parameters;
  const opening = phases.openInPool.medianMs + phases.publish.medianMs;
  const coordinatorMs = phases.uploads.medianMs + phases.shareUploads.medianMs + opening;
  const encryptedMs = phases.encryptInPool.medianMs + coordinatorMs + phases.shareInPool.medianMs;
  const plainOpening = plain.sum.medianMs + plain.publish.medianMs;
  const plaintextMs = plain.uploads.medianMs + plainOpening;
  const oneUpload = {
    encrypted:
      phases.encryptInPool.medianMs + phases.loneUpload.medianMs + opening + phases.shareInPool.medianMs + phases.loneShareUpload.medianMs,
    plaintext: plain.loneUpload.medianMs + plainOpening,
  };
  // All sites send at the same time over lines of their own: the later of line and coordinator counts.
  const onLine = (bytes: number, takenMs: number): number => Math.max(bytes / LINE_BYTES_PER_MS, takenMs);
  const at100Mbit = {
    encryptedMs:
      phases.encryptInPool.medianMs +
      onLine(wire.upload, phases.uploads.medianMs) +
      phases.shareInPool.medianMs +
      onLine(wire.share, phases.shareUploads.medianMs) +
      opening,
    plaintextMs: onLine(wire.plaintext, plain.uploads.medianMs) + plainOpening,
  };
  const totalCpuMs =
    sites * phases.encryptInPool.medianCpuMs +
    keyHolders * phases.shareInPool.medianCpuMs +
    phases.uploads.medianCpuMs +
    phases.shareUploads.medianCpuMs +
    receivingCpuMs.uploads +
    receivingCpuMs.shares +
    phases.openInPool.medianCpuMs +
    phases.publish.medianCpuMs;
  const plaintextCpuMs = plain.uploads.medianCpuMs + receivingCpuMs.plaintext + plain.sum.medianCpuMs + plain.publish.medianCpuMs;
  const perParameter = (bytes: number): number => rounded(bytes / parameters);
  return {
    parameters,
    sites,
    keyHolders,
    threshold,
    parameterSet: set,
    blocks: plan.blocks,
    distinctUploads: plan.distinct,
    runs,
    ...(isOnce && { measuredOnce: true }),
    bytesPerParameter: perParameter(wire.upload),
    shareBytesPerParameter: perParameter(wire.share),
    sumBytesPerParameter: perParameter(wire.sum),
    plaintextBytesPerParameter: perParameter(wire.plaintext),
    encryptedMs: rounded(encryptedMs),
    plaintextMs: rounded(plaintextMs),
    ratio: rounded(encryptedMs / plaintextMs, 3),
    parties: { siteMs: phases.encryptInPool.medianMs, coordinatorMs: rounded(coordinatorMs), holderMs: phases.shareInPool.medianMs },
    oneUpload: {
      encryptedMs: rounded(oneUpload.encrypted),
      plaintextMs: rounded(oneUpload.plaintext),
      ratio: rounded(oneUpload.encrypted / oneUpload.plaintext, 3),
    },
    at100Mbit: {
      encryptedMs: rounded(at100Mbit.encryptedMs),
      plaintextMs: rounded(at100Mbit.plaintextMs),
      ratio: rounded(at100Mbit.encryptedMs / at100Mbit.plaintextMs, 3),
    },
    totalCpuMs: rounded(totalCpuMs),
    plaintextCpuMs: rounded(plaintextCpuMs),
    cpuRatio: rounded(totalCpuMs / plaintextCpuMs, 3),
    coordinatorPeakMemoryMB: memory.peak,
    coordinatorIdleMemoryMB: memory.idle,
    receivingPeakMemoryMB: memory.receivingPeak,
    summingPeakMemoryMB: memory.summingPeak,
    openingPeakMemoryMB: memory.openingPeak,
    phases,
    plaintextPhases: plain,
  };
}
