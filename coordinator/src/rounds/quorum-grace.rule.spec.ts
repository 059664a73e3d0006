import { describe, expect, it } from 'vitest';
import { quorumSettled } from './quorum-grace.rule.js';

const asked = ['alpha', 'beta', 'gamma', 'zeta'];
const answered = (times: Record<string, number>) => new Map(Object.entries(times));

describe('a quorum', () => {
  it('is never settled below its number, however long it takes', () => {
    const state = { asked, answered: answered({ alpha: 0, beta: 0 }), absent: new Set(['gamma', 'zeta']), quorum: 3 };
    expect(quorumSettled(state, 1e12)).toBe(false);
  });

  it('is settled at once when everybody who is there has answered', () => {
    const state = { asked, answered: answered({ alpha: 0, beta: 5, gamma: 10 }), quorum: 3 };
    expect(quorumSettled({ ...state, absent: new Set(['zeta']) }, 10)).toBe(true);
    expect(quorumSettled({ ...state, absent: new Set() }, 10)).toBe(false);
  });

  it('waits two seconds for the others, counted from when it was full', () => {
    const state = { asked, answered: answered({ gamma: 1000, alpha: 100, beta: 200 }), absent: new Set<string>(), quorum: 3 };
    expect(quorumSettled(state, 2999)).toBe(false);
    expect(quorumSettled(state, 3000)).toBe(true);
  });

  it('does not wait until a clock that was set back has caught up', () => {
    const state = {
      asked,
      answered: answered({ gamma: 7_200_000, alpha: 7_200_000, beta: 7_200_000 }),
      absent: new Set<string>(),
      quorum: 3,
    };
    expect(quorumSettled(state, 1000)).toBe(true);
  });

  it('does not count answers of sites that were not asked', () => {
    const state = { asked, answered: answered({ alpha: 0, beta: 0, stranger: 0 }), absent: new Set<string>(), quorum: 3 };
    expect(quorumSettled(state, 1e12)).toBe(false);
  });
});
