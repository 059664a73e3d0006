/** Signatures and shares beyond the quorum make liars easier to name, so they are waited for, but not for long. */
export const GRACE_MS = 2000;

/** An answer from the future came before the clock was set back: that is long ago. */
export function graceIsOver(sinceMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - sinceMs) >= GRACE_MS;
}

export interface QuorumState {
  /** Who is asked. */
  asked: readonly string[];
  /** Who has answered, and when. */
  answered: ReadonlyMap<string, number>;
  absent: ReadonlySet<string>;
  quorum: number;
}

/** Whether enough have answered, and everybody who is there or time enough has passed since the quorum was full. */
export function quorumSettled({ asked, answered, absent, quorum }: QuorumState, nowMs: number): boolean {
  const times = asked.flatMap((site) => answered.get(site) ?? []).sort((a, b) => a - b);
  const fullMs = times[quorum - 1];
  if (fullMs === undefined) return false;
  const everybody = asked.every((site) => answered.has(site) || absent.has(site));
  return everybody || graceIsOver(fullMs, nowMs);
}
