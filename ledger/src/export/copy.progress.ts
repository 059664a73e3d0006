import type { CopyProgress } from './ledger.copy.js';

const FIRST_AFTER_MS = 2000;
const EVERY_MS = 1000;

/** A line of progress a second for people who wait, and none for what is done before they wonder. */
export function progressLines(write: (line: string) => void, now: () => number = () => performance.now()): CopyProgress {
  let next = now() + FIRST_AFTER_MS;
  return (done, all, what) => {
    if (now() < next) return;
    next = now() + EVERY_MS;
    write(`${done} of ${all} ${what}\n`);
  };
}
