export interface RetrySchedule {
  readonly attempts: number;
  /** Before the second attempt; doubled before each further one. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export const RETRIES: RetrySchedule = { attempts: 5, firstDelayMs: 250, maxDelayMs: 20_000 };

/**
 * Time to wait before the next attempt.
 * @param failed attempts so far, at least 1
 * @param retryAfter the server's header (RFC 9110 §10.2.3), as seconds or a date; it can lengthen the wait up to the maximum, never shorten it
 * @param random from 0 to 1: up to a quarter is added, so that many readers of one server do not return at once
 */
export function delayMs(schedule: RetrySchedule, failed: number, retryAfter: string | undefined, random: number, now = Date.now()): number {
  const backOff = schedule.firstDelayMs * 2 ** (failed - 1) * (1 + random / 4);
  const asked = retryAfter === undefined ? 0 : /^[0-9]{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  return Math.min(schedule.maxDelayMs, Math.max(backOff, Number.isFinite(asked) ? asked : 0));
}

/** 429 and every 5xx may be otherwise a moment later (RFC 9110 §15.6, RFC 6585 §4); 408 is the server's own time-out. */
export function isWorthRetrying(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}
