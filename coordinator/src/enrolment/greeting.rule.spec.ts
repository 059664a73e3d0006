import { describe, expect, it } from 'vitest';
import { requireClock, requireVersion } from './greeting.rule.js';

describe('a greeting', () => {
  it.each(['1.0', '1.1', '1.2'])('in wire version %s is answered', (version) => {
    expect(() => requireVersion(version)).not.toThrow();
  });

  it.each(['2.0', '0.9', '1.3'])('in wire version %s is refused, and both versions are named', (version) => {
    expect(() => requireVersion(version)).toThrow(expect.objectContaining({ code: 'version-mismatch' }));
    expect(() => requireVersion(version)).toThrow(new RegExp(`${version}, the coordinator 1.1`));
  });

  it.each(['', '1', 'one.zero', '1.0.0', '1.0 '])('in version "%s" is malformed', (version) => {
    expect(() => requireVersion(version)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it('is refused when the clocks are more than five minutes apart, and both times are named', () => {
    const now = Date.parse('2026-01-02T10:00:00Z');
    expect(() => requireClock(now - 300_000, now)).not.toThrow();
    expect(() => requireClock(now + 300_001, now)).toThrow(/2026-01-02T10:05:00.001Z.*2026-01-02T10:00:00.000Z/);
    expect(() => requireClock(Number.NaN, now)).toThrow(expect.objectContaining({ code: 'clock-off' }));
  });
});
