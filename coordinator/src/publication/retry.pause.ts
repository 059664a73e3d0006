const SHORTEST_MS = 1000;
const LONGEST_MS = 60_000;

/** How long to wait before what has failed is tried again, in milliseconds. @param failures in a row, before this one */
export function retryMs(failures: number): number {
  return Math.min(SHORTEST_MS * 2 ** failures, LONGEST_MS);
}
