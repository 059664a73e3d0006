import { describe, expect, it } from 'vitest';
import { RunTurns } from './run.turns.js';

const items = (...runs: string[]) => runs.map((run) => ({ item: { run } }));

describe('turns of runs', () => {
  it('go to nobody when nothing is ready', () => {
    expect(new RunTurns().next([], 'training')).toBeUndefined();
  });

  it('go to the run that has waited longest, and are counted in each lane by itself', () => {
    const turns = new RunTurns();
    turns.taken('training', 'a');
    turns.taken('training', 'b');
    expect(turns.next(items('b', 'a'), 'training')?.item.run).toBe('a');
    expect(turns.next(items('b', 'a'), 'protocol')?.item.run).toBe('b');
    turns.taken('training', 'a');
    expect(turns.next(items('a', 'b'), 'training')?.item.run).toBe('b');
    expect(turns.next(items('a', 'b', 'new'), 'training')?.item.run).toBe('new');
  });

  it('are remembered of a run that has nothing to do for a while, so that it is not new again', () => {
    const turns = new RunTurns();
    turns.taken('training', 'b');
    turns.taken('training', 'a');
    turns.next(items('b'), 'training');
    expect(turns.next(items('a', 'b'), 'training')?.item.run).toBe('b');
  });

  it('stay fair and bounded where a coordinator makes up names of runs', () => {
    const turns = new RunTurns();
    turns.taken('protocol', 'real');
    for (let number = 0; number < 5000; number++) turns.taken('protocol', `made-up-${number}`);
    expect(turns.next(items('made-up-4999', 'real'), 'protocol')?.item.run).toBe('real');
  });
});
