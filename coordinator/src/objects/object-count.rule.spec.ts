import { describe, expect, it } from 'vitest';
import { runningView } from '../testing/run-view.fixture.js';
import { requireDueSize } from './object-size.rule.js';
import { mostObjects, requireFewObjects } from './object-count.rule.js';

describe('the objects of a site', () => {
  it('are three for each attempt at a sum, and for each key epoch', () => {
    const view = runningView({ attempt: 2 });
    expect(view.rounds.map(({ attempt }) => attempt)).toEqual([2]);
    expect(mostObjects(view, 'ciphertext')).toBe(6);
    expect(mostObjects(view, 'decryption-share')).toBe(6);
    expect(mostObjects(view, 'dealing-masked')).toBe(3);
    expect(mostObjects(view, 'dealing-box')).toBe(3 * view.epoch.roster.keyHolders.length);
    const later = { ...view, earlierEpochs: [view.epoch] };
    expect(mostObjects(later, 'dealing-masked')).toBe(6);
  });

  it('are refused beyond that, without an end of ever new vectors of the right size', () => {
    const view = runningView();
    expect(() => requireFewObjects(view, 'alpha', 'ciphertext', 2)).not.toThrow();
    expect(() => requireFewObjects(view, 'alpha', 'ciphertext', 3)).toThrow(/"alpha" has stored 3 objects for ciphertext/);
  });

  it('are left to the rule of sizes before any sum is open: it refuses what is not due', () => {
    const view = { ...runningView(), rounds: [] };
    expect(() => requireFewObjects(view, 'alpha', 'ciphertext', 0)).not.toThrow();
    expect(() => requireDueSize(view, 'alpha', 'ciphertext', 75)).toThrow(expect.objectContaining({ code: 'wrong-size' }));
  });
});
