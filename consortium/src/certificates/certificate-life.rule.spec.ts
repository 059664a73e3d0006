import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CertificateLife, renewalCheckMs, renewalIsDue, renewalRetryMs, renewalTimeMs } from './certificate-life.rule.js';

const DAY_MS = 86_400_000;
const month: CertificateLife = { notBeforeMs: 0, notAfterMs: 30 * DAY_MS };

describe('a certificate of 30 days', () => {
  it('is renewed from day 20 on, and when it has expired', () => {
    expect(renewalTimeMs(month)).toBe(20 * DAY_MS);
    expect(renewalIsDue(month, 20 * DAY_MS - 1)).toBe(false);
    expect(renewalIsDue(month, 20 * DAY_MS)).toBe(true);
    expect(renewalIsDue(month, 300 * DAY_MS)).toBe(true);
  });

  it('is looked at every hour, and when it is due at once', () => {
    expect(renewalCheckMs(month, 0)).toBe(3_600_000);
    expect(renewalCheckMs(month, 20 * DAY_MS - 5)).toBe(5);
    expect(renewalCheckMs(month, 25 * DAY_MS)).toBe(0);
  });

  it('is tried again every ten minutes', () => {
    expect(renewalRetryMs(month)).toBe(600_000);
  });
});

describe('any certificate', () => {
  const lives = fc.record({ notBeforeMs: fc.nat(2 ** 41), lifeMs: fc.integer({ min: 1, max: 3650 * DAY_MS }) });

  it('is due within its life, and never while more than a third of it is left', () => {
    fc.assert(
      fc.property(lives, fc.double({ min: 0, max: 1, noNaN: true }), ({ notBeforeMs, lifeMs }, part) => {
        const life = { notBeforeMs, notAfterMs: notBeforeMs + lifeMs };
        const nowMs = notBeforeMs + part * lifeMs;
        const left = life.notAfterMs - nowMs;
        expect(renewalIsDue(life, nowMs)).toBe(nowMs >= renewalTimeMs(life));
        if (left > lifeMs / 3 + 1) expect(renewalIsDue(life, nowMs)).toBe(false);
        if (left < lifeMs / 3 - 1) expect(renewalIsDue(life, nowMs)).toBe(true);
      }),
    );
  });

  it('is never waited for beyond the limits of a timer, nor in a storm', () => {
    fc.assert(
      fc.property(lives, fc.nat(2 ** 42), ({ notBeforeMs, lifeMs }, nowMs) => {
        const life = { notBeforeMs, notAfterMs: notBeforeMs + lifeMs };
        expect(renewalCheckMs(life, nowMs)).toBeLessThanOrEqual(3_600_000);
        expect(renewalRetryMs(life)).toBeGreaterThanOrEqual(500);
      }),
    );
  });

  it('whose end lies before its beginning is due at once', () => {
    expect(renewalIsDue({ notBeforeMs: 10, notAfterMs: 5 }, 5)).toBe(true);
  });
});
