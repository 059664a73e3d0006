import { describe, expect, it } from 'vitest';
import { DamagedObject } from '../aggregation/damaged.object.js';
import { runningView } from '../testing/run-view.fixture.js';
import { DamagedFiles } from './damaged.files.js';

const view = runningView({ sum: 4, state: 'decrypting' });
const { run } = view.run;
const upload = new DamagedObject('the upload of "alpha" to sum 4', '/data/objects/aa', 'gone');
const share = new DamagedObject('the decryption share of "beta" for sum 4', '/data/objects/bb', 'gone');

describe('a run with a damaged file', () => {
  it('is tried after 5 seconds, then twice as late every time, and never later than after a minute', () => {
    const files = new DamagedFiles();
    let now = 0;
    for (const wait of [5000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      expect(files.isPostponed(run, now)).toBe(false);
      files.note(run, 4, upload, now);
      expect(files.isPostponed(run, now + wait - 1)).toBe(true);
      expect(files.isPostponed('other', now)).toBe(false);
      now += wait;
    }
  });

  it('starts again with another file, and is forgotten with the damage', () => {
    const files = new DamagedFiles();
    expect([files.note(run, 4, upload, 0), files.note(run, 4, upload, 0), files.note(run, 4, share, 0)]).toEqual([true, false, true]);
    expect(files.isPostponed(run, 5000)).toBe(false);
    expect(files.whatToDo(view)).toMatch(/decryption share of "beta" for sum 4 .*\/data\/objects\/bb.*Restore/);
    files.clear(run);
    expect([files.whatToDo(view), files.isPostponed(run, 0)]).toEqual([undefined, false]);
  });

  it('tells nobody to restore what it does not wait for any more', () => {
    const files = new DamagedFiles();
    files.note(run, 4, upload, 0);
    expect(files.whatToDo({ ...view, run: { ...view.run, state: 'aborted' } })).toBeUndefined();
    // A new key epoch has begun.
    expect(files.whatToDo({ ...view, rounds: view.rounds.map((round) => ({ ...round, state: 'superseded' })) })).toBeUndefined();
    expect(files.whatToDo(view)).toBeDefined();
  });
});
