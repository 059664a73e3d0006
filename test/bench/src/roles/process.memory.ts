import { readFileSync, writeFileSync } from 'node:fs';

const MEGABYTE = 1e6;

/** Resident memory now, in MB, after a garbage collection where the process allows one. */
export function settledMemory(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss() / MEGABYTE;
}

/**
 * Starts a new high-water mark where the kernel can (Linux); elsewhere the mark stays the one since the start of the process, which can only make a
 * peak look higher.
 */
export function restartPeakMemory(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or a kernel without it.
  }
}

/** The kernel's own high-water mark of resident memory, in MB: no sampling, so no peak is missed. */
export function peakMemory(): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (match?.[1] !== undefined) return (Number(match[1]) * 1024) / MEGABYTE;
  } catch {
    // No /proc: the next line is the portable answer.
  }
  return (process.resourceUsage().maxRSS * 1024) / MEGABYTE;
}
