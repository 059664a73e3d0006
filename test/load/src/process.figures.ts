import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on. */
const TICKS = 100;

export interface ProcessFigures {
  rssMB: number;
  /** Of all its threads, since its start. */
  cpuSeconds: number;
}

/** What the kernel says of a process (Linux; proc(5)). @throws when it is gone, or there is no /proc */
export function figuresOf(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? '0';
  // The name of the program, in parentheses, may contain spaces; fields are counted behind it: 14 and 15 are user and system time.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return { rssMB: (Number(resident) * 1024) / 1e6, cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS };
}

export interface MemorySample extends ProcessFigures {
  atSeconds: number;
  /** V8's heap in use, MB, where the coordinator told it. */
  heapMB: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median of the last quarter of the samples against that of the second quarter: near 1 where memory does not grow. */
export function growthOf(values: readonly number[]): { secondQuarter: number; lastQuarter: number; ratio: number } {
  const quarter = Math.floor(values.length / 4);
  const secondQuarter = median(values.slice(quarter, 2 * quarter));
  const lastQuarter = median(values.slice(values.length - quarter));
  return { secondQuarter, lastQuarter, ratio: lastQuarter / secondQuarter };
}
