import { describe, expect, it } from 'vitest';
import { Presence, isAbsent } from './presence.js';

const POLLS = 3;
const alpha = { site: 'alpha', identityKey: 'a'.repeat(64) };
const beta = { site: 'beta', identityKey: 'b'.repeat(64) };

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
    presence.remember(alpha, 20_000);
    const now = performance.now();
    expect([...presence.absent([alpha, beta], now + 20_000, POLLS)]).toEqual(['beta']);
    expect([...presence.absent([alpha, beta], now + 80_000, POLLS)]).toEqual(['alpha', 'beta']);
  });

  it('ends with a poll, and is counted from its answer', () => {
    const presence = new Presence();
    presence.arrived(alpha, 0, 1000);
    presence.arrived(alpha, 10, 1000);
    presence.answered(alpha, 500);
    expect(presence.of(alpha)).toEqual({ held: 1, lastMs: 500, waitMs: 1000 });
    presence.answered(alpha, 900);
    expect(presence.absent([alpha], 4000, POLLS).size).toBe(1);
  });

  it('is counted afresh when nobody could be heard for a while, wherever they polled last', () => {
    const presence = new Presence();
    presence.arrived(alpha, 0, 1000);
    presence.answered(alpha, 0);
    presence.follow(new Map([[beta.identityKey, { held: 0, lastMs: 0, waitMs: 1000 }]]));
    const againMs = 600_000;
    expect(presence.absent([alpha, beta], againMs, POLLS).size).toBe(2);
    presence.heardAgain(againMs);
    expect(presence.absent([alpha, beta], againMs + 13_000, POLLS).size).toBe(0);
    expect(presence.absent([alpha, beta], againMs + 13_001, POLLS).size).toBe(2);
    expect(presence.silentMs(alpha, againMs)).toBe(againMs);
  });

  it('of an identity does not end with the polls of another one under its name', () => {
    const presence = new Presence();
    const replaced = { ...alpha, identityKey: 'c'.repeat(64) };
    presence.arrived(alpha, 0, 1000);
    presence.answered(alpha, 0);
    presence.arrived(replaced, 10_000, 1000);
    expect([...presence.absent([alpha], 10_000, POLLS)]).toEqual(['alpha']);
    expect([...presence.absent([replaced], 10_000, POLLS)]).toEqual([]);
  });
});
