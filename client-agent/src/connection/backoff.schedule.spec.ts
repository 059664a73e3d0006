import { describe, expect, it } from 'vitest';
import { BackoffSchedule } from './backoff.schedule.js';

describe('waiting between tries', () => {
  it('doubles to a limit and starts again after success', () => {
    const backoff = new BackoffSchedule(500, 4000, () => 1);
    expect([1, 2, 3, 4, 5].map(() => backoff.nextMs())).toEqual([500, 1000, 2000, 4000, 4000]);
    backoff.reset();
    expect(backoff.nextMs()).toBe(500);
  });

  it('is cut by up to half at random, so that sites do not come back in step', () => {
    const waits = [0, 0.5, 1].map((drawn) => new BackoffSchedule(1000, 4000, () => drawn).nextMs());
    expect(waits).toEqual([500, 750, 1000]);
    const drawn = Array.from({ length: 50 }, () => new BackoffSchedule(1000, 4000).nextMs());
    expect(new Set(drawn).size).toBeGreaterThan(1);
    expect(drawn.every((ms) => ms >= 500 && ms <= 1000)).toBe(true);
  });
});
