import { RUN_TABLE, type RunState, legalEvents } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { giveByOperator, runningView, SITES, giveNonce } from '../testing/run-view.fixture.js';
import { owedInstructions } from '../rounds/owed.js';
import { nextStep } from './next.step.js';
import { afterPause, nextCount, pausedSinceMs, requirePausable, requirePause } from './run.pause.js';
import type { RunView } from './run.view.js';
import { waitingOf } from './run.waiting.js';

const STATES = Object.keys(RUN_TABLE.transitions) as RunState[];
const nobody = () => new Set<string>();
const inState = (view: RunView, state: RunState): RunView => ({ ...view, run: { ...view.run, state } });

/** Paused at this time, for the first or a later time. */
function pausedView(pausedMs: number, pause = 1, view = runningView()): RunView {
  giveByOperator(
    view,
    'run-paused',
    `${pause}`,
    { consortium: view.consortium, run: view.run.run, pause, reason: 'stocktaking' },
    pausedMs,
  );
  return inState(view, 'paused');
}

describe('a pause', () => {
  it.each(STATES)('is taken or refused in %s as the table of runs says, with what to do', (state) => {
    const view = state === 'paused' ? pausedView(0) : inState(runningView(), state);
    if (legalEvents(RUN_TABLE, state).includes('pause')) return expect(() => requirePausable(view)).not.toThrow();
    expect(() => requirePausable(view)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^(wrong-state|run-over)$/),
        message: expect.stringMatching(/coferment|there is nothing to pause/),
      }),
    );
  });

  it.each(STATES)('is ended or not in %s as the table says', (state) => {
    const view = state === 'paused' ? pausedView(7) : inState(runningView(), state);
    if (legalEvents(RUN_TABLE, state).includes('resume')) return expect(requirePause(view).receivedMs).toBe(7);
    expect(() => requirePause(view)).toThrow(
      expect.objectContaining({ code: 'wrong-state', message: expect.stringContaining(`"${state}"`) }),
    );
  });

  it('is told apart from the ones before it', () => {
    const view = runningView();
    expect([nextCount(view, 'run-paused'), pausedSinceMs(view)]).toEqual([1, undefined]);
    pausedView(100, 1, view);
    const again = pausedView(300, 2, view);
    expect([nextCount(again, 'run-paused'), pausedSinceMs(again)]).toEqual([3, 300]);
  });

  it('takes no step, at no time, whatever its sums wait for', () => {
    for (const state of ['training', 'ready', 'uploading', 'frozen', 'attesting', 'decrypting', 'garbled'] as const) {
      const view = runningView({ state });
      for (const site of SITES) giveNonce(view, site);
      const paused = pausedView(1, 1, view);
      for (const when of [0, 1e15]) expect(nextStep(paused, (sites) => new Set(sites), when)).toBeUndefined();
      for (const site of SITES) expect(owedInstructions(paused, site, { appliedSum: 0, epoch: 1 })).toEqual([]);
    }
    const frozen = runningView({ state: 'frozen' });
    expect(nextStep(frozen, nobody, 0)).toBeDefined();
  });

  it('waits for nobody and says how it goes on', () => {
    const paused = pausedView(1);
    const told = { ...paused, run: { ...paused.run, whatToDo: 'Go on with: coferment resume r' } };
    expect(waitingOf(told)).toEqual({ waitingFor: [], deadlineMs: 0, whatToDo: 'Go on with: coferment resume r' });
  });
});

describe('a deadline after a pause', () => {
  const [deadline, paused] = [10_000, 4_000];

  it.each([
    ['a pause of an hour', 3_604_000, 3_610_000],
    ['a clock that was set forward by years', 1e12, 1e12 + 6_000],
    ['a clock that was set back', 1_000, 7_000],
    ['a pause of no length', 4_000, 10_000],
  ])('has left what was left before: %s', (_, resumed, expected) => {
    expect(afterPause(deadline, paused, resumed)).toBe(expected);
  });

  it('that was over before the pause is over after it', () => {
    expect(afterPause(3_000, 4_000, 9_000)).toBeLessThan(9_000);
  });
});
