import { describe, expect, it } from 'vitest';
import { Presence, isAbsent } from './presence.js';

const POLLS = 3;

describe('absence', () => {
  it('begins after so many polls have been missed', () => {
    const observation = { held: 0, lastMs: 10_000, waitMs: 5000 };
    expect(isAbsent(observation, 10_000 + 15_000, POLLS)).toBe(false);
    expect(isAbsent(observation, 10_000 + 15_001, POLLS)).toBe(true);
  });

  it('gives an agent that polls without waiting at least a second for each poll', () => {
    const observation = { held: 0, lastMs: 0, waitMs: 0 };
    expect(isAbsent(observation, 3000, POLLS)).toBe(false);
    expect(isAbsent(observation, 3001, POLLS)).toBe(true);
  });

  it('never holds of a site whose poll is open', () => {
    expect(isAbsent({ held: 1, lastMs: 0, waitMs: 0 }, 1e12, POLLS)).toBe(false);
  });

  it('is counted afresh for sites that a coordinator has not seen since its start', () => {
    const presence = new Presence();
    presence.remember('alpha', 20_000);
    const now = Date.now();
    expect([...presence.absent(['alpha', 'beta'], now + 20_000, POLLS)]).toEqual(['beta']);
    expect([...presence.absent(['alpha', 'beta'], now + 80_000, POLLS)]).toEqual(['alpha', 'beta']);
  });

  it('ends with a poll, and is counted from its answer', () => {
    const presence = new Presence();
    presence.arrived('alpha', 0, 1000);
    presence.arrived('alpha', 10, 1000);
    presence.answered('alpha', 500);
    expect(presence.of('alpha')).toEqual({ held: 1, lastMs: 500, waitMs: 1000 });
    presence.answered('alpha', 900);
    expect(presence.absent(['alpha'], 4000, POLLS).size).toBe(1);
  });
});
