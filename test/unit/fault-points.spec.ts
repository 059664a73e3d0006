import { AGENT_ROUND_TABLE, ROUND_TABLE, RUN_TABLE, type TransitionTable } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { movesOf, pointsOf } from '../faults/matrix/stop.points.js';
import { StopSwitch } from '../faults/matrix/stop.switch.js';

const LAMP: TransitionTable<'off' | 'on', 'press' | 'break'> = {
  of: 'lamp',
  initial: 'off',
  events: ['press', 'break'],
  transitions: { off: { press: 'on' }, on: { press: 'off', break: 'off' } },
};

describe('the points of the matrix', () => {
  it('are every move of a table, before and after', () => {
    expect(pointsOf('coordinator', movesOf(LAMP))).toEqual([
      'coordinator: before lamp off --press-->',
      'coordinator: after lamp off --press-->',
      'coordinator: before lamp on --press-->',
      'coordinator: after lamp on --press-->',
      'coordinator: before lamp on --break-->',
      'coordinator: after lamp on --break-->',
    ]);
  });

  it('have a name each, over all tables', () => {
    for (const table of [RUN_TABLE, ROUND_TABLE, AGENT_ROUND_TABLE]) {
      const points = pointsOf('key holder', movesOf<string, string>(table));
      const moves = Object.values<object>(table.transitions).reduce((sum, row) => sum + Object.keys(row).length, 0);
      expect(new Set(points).size).toBe(2 * moves);
    }
  });
});

describe('the switch', () => {
  const [off, on] = [
    { of: 'lamp', state: 'off', event: 'press' },
    { of: 'lamp', state: 'on', event: 'press' },
  ];

  it('stops at a point once, so that what comes again gets past', () => {
    const stops = new StopSwitch(new Set(pointsOf('coordinator', movesOf(LAMP))));
    expect(stops.stopsAt('coordinator', [off], 'before')).toEqual(['coordinator: before lamp off --press-->']);
    expect(stops.stopsAt('coordinator', [off], 'before')).toEqual([]);
    expect(stops.stopsAt('coordinator', [off], 'after')).toHaveLength(1);
  });

  it('covers all moves of one transaction by one stop, also when one of them is known', () => {
    const stops = new StopSwitch(new Set(pointsOf('coordinator', movesOf(LAMP))));
    stops.stopsAt('coordinator', [off], 'before');
    expect(stops.stopsAt('coordinator', [off, on], 'before')).toHaveLength(2);
    expect([...stops.covered]).toHaveLength(2);
  });

  it('covers nothing while it is not armed, and nothing that no table has', () => {
    const stops = new StopSwitch(new Set(pointsOf('coordinator', movesOf(LAMP))));
    stops.armed = false;
    expect(stops.stopsAt('coordinator', [off], 'before')).toEqual([]);
    stops.armed = true;
    expect(stops.stopsAt('coordinator', [{ ...off, event: 'throw' }], 'before')).toEqual([]);
    expect(stops.covered.size).toBe(0);
  });
});
