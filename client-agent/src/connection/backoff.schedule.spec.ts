import { describe, expect, it } from 'vitest';
import { BackoffSchedule } from './backoff.schedule.js';

describe('waiting between tries', () => {
  it('doubles to a limit and starts again after success', () => {
    const backoff = new BackoffSchedule(500, 4000, () => 1);
    expect([1, 2, 3, 4, 5].map(() => backoff.nextMs())).toEqual([500, 1000, 2000, 4000, 4000]);
    backoff.reset();
    expect(backoff.nextMs()).toBe(500);
  });
});
