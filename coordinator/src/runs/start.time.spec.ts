import { describe, expect, it } from 'vitest';
import { give, SITES, storedRun } from '../testing/run-view.fixture.js';
import { nextStep } from './next.step.js';
import type { RunView } from './run.view.js';
import { waitingOf } from './run.waiting.js';
import { requireStart, startText } from './start.time.js';

const NOW = Date.UTC(2026, 10, 29);
const HOUR = 3_600_000;
const nobody = () => new Set<string>();

function approve(view: RunView, ...sites: string[]): void {
  for (const site of sites)
    give(view, 'plan-approved', site, '', { consortium: 'unit', site, plan: view.run.plan, ordinal: 1, sites: SITES });
}

describe('a time to start at', () => {
  it.each([NOW, NOW - 1, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, NOW + 3651 * 24 * HOUR, 8.64e15 + 1])(
    'is refused: %d',
    (startAtMs) => {
      expect(() => requireStart(startAtMs, NOW)).toThrow(
        expect.objectContaining({ code: 'malformed', message: expect.stringMatching(/later than now \(2026-11-29.*Nothing was launched/) }),
      );
    },
  );

  it.each([0, NOW + 1, NOW + 3650 * 24 * HOUR])('is taken: %d', (startAtMs) => {
    expect(() => requireStart(startAtMs, NOW)).not.toThrow();
  });

  it('holds back a run that all have approved, and says until when', () => {
    const view = storedRun({ startAtMs: NOW });
    approve(view, ...SITES);
    expect(nextStep(view, nobody, NOW - 1)).toBeUndefined();
    expect(waitingOf(view)).toEqual({
      waitingFor: [],
      deadlineMs: 0,
      whatToDo: expect.stringMatching(/starts at 2026-11-29T00:00:00.000Z/),
    });
    expect(nextStep(view, nobody, NOW)).toEqual({ do: 'start-epoch' });
  });

  it('starts no run that an approval is missing in', () => {
    const view = storedRun({ startAtMs: NOW });
    approve(view, ...SITES.slice(1));
    expect(nextStep(view, nobody, NOW + HOUR)).toBeUndefined();
    expect(waitingOf(view)).toMatchObject({ waitingFor: [SITES[0]], whatToDo: expect.stringMatching(/plans approve .* starts at 2026/) });
  });

  it('with a deadline for approvals: the list is settled by the deadline, and the run starts at the later of the two', () => {
    const early = storedRun({ startAtMs: NOW + HOUR, approveByMs: NOW });
    approve(early, ...SITES.slice(1));
    expect(nextStep(early, nobody, NOW)).toMatchObject({ do: 'narrow-roster', notApproved: [SITES[0]] });
    const narrowed = { ...early, run: { ...early.run, sites: SITES.slice(1), notApproved: SITES.slice(0, 1) } };
    expect(nextStep(narrowed, nobody, NOW + HOUR - 1)).toBeUndefined();
    expect(nextStep(narrowed, nobody, NOW + HOUR)).toEqual({ do: 'start-epoch' });

    const late = storedRun({ startAtMs: NOW, approveByMs: NOW + HOUR });
    approve(late, ...SITES.slice(1));
    expect(nextStep(late, nobody, NOW)).toBeUndefined();
    expect(nextStep(late, nobody, NOW + HOUR)).toMatchObject({ do: 'narrow-roster' });
    approve(late, SITES[0]!);
    expect(nextStep(late, nobody, NOW)).toEqual({ do: 'start-epoch' });
  });

  it('is said only until the run has started', () => {
    expect(startText(storedRun({ startAtMs: NOW, state: 'running' }))).toBe('');
    expect(startText(storedRun())).toBe('');
  });
});
