import { CoordinatorError } from '../errors/index.js';
import type { RunView } from './run.view.js';

/** Ten years, as for everything else that the command line reads. */
const FURTHEST_MS = 3650 * 86_400_000;

/** @param startAtMs 0: at once. @throws CoordinatorError 'malformed' for a time that is over or years away */
export function requireStart(startAtMs: number, nowMs: number): void {
  if (startAtMs === 0) return;
  const isTime = Number.isSafeInteger(startAtMs) && startAtMs > nowMs && startAtMs - nowMs <= FURTHEST_MS;
  if (isTime) return;
  const now = new Date(nowMs).toISOString();
  throw new CoordinatorError(
    'malformed',
    `The run cannot start at ${shown(startAtMs)}: it must be later than now (${now}), by at most ten years. Nothing was launched; leave the time out to start with the last approval.`,
  );
}

function shown(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}

/** Whether every approval is there and it is still too early. Wall-clock time: it is a time that people have agreed on. */
export function isBeforeStart({ run }: RunView, nowMs: number): boolean {
  return run.startAtMs !== null && nowMs < run.startAtMs;
}

/** For people, as long as the run has not started; empty where it has, or starts with the last approval. */
export function startText({ run }: RunView): string {
  if (run.state !== 'awaiting-approval' || run.startAtMs === null) return '';
  return `The run starts at ${shown(run.startAtMs)}, or with the last approval if that comes later.`;
}
