import { describe, expect, it } from 'vitest';
import { ALIVE_MS } from '../replicas/replicas.service.js';
import { observedElsewhere } from './presence.elsewhere.js';
import { Presence, RECONNECT_MS, isAbsent } from './presence.js';

const POLLS = 3;
const alpha = { site: 'alpha', identityKey: 'a'.repeat(64) };
const polled = { lastPollMs: 100_000, waitMs: 20_000 };
const there = (seenMs: number, isRunning = true) => ({ id: 'b', address: '', seenMs, isRunning });
const absentAt = (nowMs: number, sighting: ReturnType<typeof there> | undefined, startedMs = 0) =>
  isAbsent(observedElsewhere(polled, sighting, startedMs, nowMs), nowMs, POLLS);

describe('a site that polled at another coordinator', () => {
  it('is present while its poll may be held there, and until so many more were missed', () => {
    const endMs = 100_000 + 20_000 + ALIVE_MS + POLLS * 20_000;
    expect(absentAt(endMs, there(endMs))).toBe(false);
    expect(absentAt(endMs + 1, there(endMs))).toBe(true);
  });

  it('has time to find this one when the other is gone, however short its polls are', () => {
    const short = { lastPollMs: 100_000, waitMs: 0 };
    const goneMs = 104_000;
    const absent = (nowMs: number, sighting = there(goneMs)) => isAbsent(observedElsewhere(short, sighting, 0, nowMs), nowMs, POLLS);
    expect(absent(goneMs + RECONNECT_MS + POLLS * 1000)).toBe(false);
    expect(absent(goneMs + RECONNECT_MS + POLLS * 1000 + 1)).toBe(true);
    // One that stopped in order was not seen to be late; its sites have to find another one all the same.
    expect(absent(goneMs + 1000, there(goneMs, false))).toBe(false);
  });

  it('is not taken for absent before it can be seen that the other one is gone', () => {
    const short = { lastPollMs: 100_000, waitMs: 0 };
    // Killed just after the poll. Until it is missed it counts as alive.
    for (let nowMs = 100_000; nowMs < 100_000 + RECONNECT_MS; nowMs += 100)
      expect(isAbsent(observedElsewhere(short, there(100_000), 0, nowMs), nowMs, POLLS)).toBe(false);
  });

  it('has time after the start of this one, when the other was gone long before', () => {
    const startedMs = 900_000;
    expect(absentAt(startedMs + RECONNECT_MS, there(100_000), startedMs)).toBe(false);
    expect(absentAt(startedMs + RECONNECT_MS, undefined, startedMs)).toBe(false);
    expect(absentAt(startedMs + RECONNECT_MS + POLLS * 20_000 + 1, there(100_000), startedMs)).toBe(true);
  });

  it('is present here as soon as it polls here, whatever was stored there', () => {
    const presence = new Presence();
    presence.follow(new Map([[alpha.identityKey, { held: 0, lastMs: 0, waitMs: 1000 }]]));
    presence.arrived(alpha, 50_000, 1000);
    expect(presence.absent([alpha], 1e9, POLLS).size).toBe(0);
    presence.answered(alpha, 51_000);
    expect(presence.absent([alpha], 54_000, POLLS).size).toBe(0);
    expect([...presence.absent([alpha], 54_001, POLLS)]).toEqual(['alpha']);
  });

  it('stays present here when it goes over to another one', () => {
    const presence = new Presence();
    presence.arrived(alpha, 0, 1000);
    presence.answered(alpha, 0);
    presence.follow(new Map([[alpha.identityKey, { held: 0, lastMs: 60_000, waitMs: 1000 }]]));
    expect(presence.absent([alpha], 62_000, POLLS).size).toBe(0);
  });
});
