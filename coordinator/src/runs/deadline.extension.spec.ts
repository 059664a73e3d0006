import { ROUND_TABLE, type RoundState } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { giveByOperator, runningView } from '../testing/run-view.fixture.js';
import { extendedDeadline, extensibleRound } from './deadline.extension.js';

const STATES = Object.keys(ROUND_TABLE.transitions) as RoundState[];
const COLLECTING: RoundState[] = ['training', 'ready', 'uploading'];

describe('the deadline of a sum', () => {
  it.each(STATES)('in %s can be extended only while it collects from sites', (state) => {
    const view = runningView({ state });
    if (COLLECTING.includes(state)) return expect(extensibleRound(view, 5).sum).toBe(5);
    expect(() => extensibleRound(view, 5)).toThrow(
      expect.objectContaining({ code: 'wrong-state', message: expect.stringMatching(/sum 5 .*Nothing was changed/) }),
    );
  });

  it.each([0, 4, 6, -1, Number.NaN])('of another sum, %d, stays', (sum) => {
    expect(() => extensibleRound(runningView(), sum)).toThrow(
      expect.objectContaining({ code: 'wrong-state', message: expect.stringMatching(/no such sum/) }),
    );
  });

  it('of a sum over a fixed set does not run', () => {
    expect(() => extensibleRound(runningView({ fixedSet: ['alpha', 'beta'] }), 5)).toThrow(/waits for all of them, without a deadline/);
  });

  it.each(['completed', 'aborted', 'failed'] as const)('in a run that is %s is over', (state) => {
    const view = runningView();
    expect(() => extensibleRound({ ...view, run: { ...view.run, state } }, 5)).toThrow(expect.objectContaining({ code: 'run-over' }));
  });

  it('grows from where it is, from now where it is over, and from the beginning of a pause', () => {
    const view = runningView({ deadlineMs: 1000 });
    const round = view.rounds[0]!;
    expect(extendedDeadline(view, round, 50, 900)).toBe(1050);
    expect(extendedDeadline(view, round, 50, 2000)).toBe(2050);
    giveByOperator(view, 'run-paused', '1', { consortium: 'unit', run: view.run.run, pause: 1, reason: '' }, 900);
    const paused = { ...view, run: { ...view.run, state: 'paused' as const } };
    expect(extendedDeadline(paused, round, 50, 2000)).toBe(1050);
  });
});
