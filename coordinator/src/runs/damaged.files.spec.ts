import { describe, expect, it } from 'vitest';
import { DamagedObject } from '../aggregation/damaged.object.js';
import { DamagedFiles } from './damaged.files.js';

const upload = new DamagedObject('the upload of "alpha" to sum 4', '/data/objects/aa', 'gone');
const share = new DamagedObject('the decryption share of "beta" for sum 4', '/data/objects/bb', 'gone');

describe('a run with a damaged file', () => {
  it('is tried after 5 seconds, then twice as late every time, and never later than after a minute', () => {
    const files = new DamagedFiles();
    let now = 0;
    for (const wait of [5000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      expect(files.isPostponed('run', now)).toBe(false);
      files.note('run', upload, now);
      expect(files.isPostponed('run', now + wait - 1)).toBe(true);
      expect(files.isPostponed('other', now)).toBe(false);
      now += wait;
    }
  });

  it('starts again with another file, and is forgotten with the damage', () => {
    const files = new DamagedFiles();
    expect([files.note('run', upload, 0), files.note('run', upload, 0), files.note('run', share, 0)]).toEqual([true, false, true]);
    expect(files.isPostponed('run', 5000)).toBe(false);
    expect(files.whatToDo('run')).toMatch(/decryption share of "beta" for sum 4 .*\/data\/objects\/bb.*Restore/);
    files.clear('run');
    expect([files.whatToDo('run'), files.isPostponed('run', 0)]).toEqual([undefined, false]);
  });
});
