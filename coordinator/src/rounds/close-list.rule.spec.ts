import { describe, expect, it } from 'vitest';
import { type ListState, decideList } from './close-list.rule.js';

const SITES = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'].sort();
const nonces = (...sites: string[]) => sites.map((site) => ({ site, nonce: site.padEnd(64, '0') }));
const state = (change: Partial<ListState>): ListState => ({
  sites: SITES,
  nonces: [],
  declined: new Set(),
  absent: new Set(),
  setAside: new Set(),
  minContributors: 3,
  pastDeadline: false,
  ...change,
});
const all = { waitFor: 'all', onDeadline: 'proceed-with-quorum' } as const;

describe('a list of nonces', () => {
  it('closes at once when every site is ready', () => {
    expect(decideList(all, state({ nonces: nonces(...SITES) }))).toEqual({ kind: 'close', excluded: [] });
  });

  it('waits for a site that is there and still trains', () => {
    expect(decideList(all, state({ nonces: nonces('alpha', 'beta', 'delta', 'epsilon') }))).toEqual({ kind: 'wait' });
  });

  it('closes without sites that are absent or have declined, and says which is which', () => {
    const decision = decideList(
      all,
      state({ nonces: nonces('alpha', 'beta', 'delta'), absent: new Set(['gamma']), declined: new Set(['epsilon']) }),
    );
    expect(decision).toEqual({
      kind: 'close',
      excluded: [
        { site: 'epsilon', reason: 'refused' },
        { site: 'gamma', reason: 'absent' },
      ],
    });
  });

  it('never closes below minContributors, whoever is absent and however late it is', () => {
    const absent = new Set(['gamma', 'delta', 'epsilon']);
    for (const pastDeadline of [false, true]) {
      expect(decideList(all, state({ nonces: nonces('alpha', 'beta'), absent, pastDeadline })).kind).toBe('wait');
    }
  });

  it('does not wait for a site that is set aside, and counts it when it is in time', () => {
    const setAside = new Set(['gamma']);
    const without = nonces('alpha', 'beta', 'delta', 'epsilon');
    expect(decideList(all, state({ nonces: without, setAside }))).toEqual({
      kind: 'close',
      excluded: [{ site: 'gamma', reason: 'set-aside' }],
    });
    expect(decideList(all, state({ nonces: nonces(...SITES), setAside }))).toEqual({ kind: 'close', excluded: [] });
    // Its own word comes before what is said of it.
    expect(decideList(all, state({ nonces: without, setAside, declined: setAside }))).toMatchObject({ excluded: [{ reason: 'refused' }] });
    expect(decideList(all, state({ nonces: without, setAside, absent: setAside }))).toMatchObject({ excluded: [{ reason: 'set-aside' }] });
  });

  it('never shrinks below minContributors over sites that are set aside', () => {
    const setAside = new Set(['gamma', 'delta', 'epsilon']);
    for (const pastDeadline of [false, true])
      expect(decideList(all, state({ nonces: nonces('alpha', 'beta'), setAside, pastDeadline })).kind).toBe('wait');
  });

  it('closes at the deadline with enough sites, and calls the missing one late', () => {
    expect(decideList(all, state({ nonces: nonces('alpha', 'beta', 'delta', 'epsilon'), pastDeadline: true }))).toEqual({
      kind: 'close',
      excluded: [{ site: 'gamma', reason: 'late' }],
    });
  });

  it('closes as soon as the planned number is ready', () => {
    const some = { waitFor: 4, onDeadline: 'wait' } as const;
    expect(decideList(some, state({ nonces: nonces('alpha', 'beta', 'delta') })).kind).toBe('wait');
    expect(decideList(some, state({ nonces: nonces('alpha', 'beta', 'delta', 'epsilon') })).kind).toBe('close');
  });

  it('waits or is given up at the deadline where the plan says so', () => {
    const late = state({ nonces: nonces('alpha', 'beta', 'delta'), pastDeadline: true });
    expect(decideList({ waitFor: 'all', onDeadline: 'wait' }, late).kind).toBe('wait');
    expect(decideList({ waitFor: 'all', onDeadline: 'abandon' }, late).kind).toBe('abandon');
  });
});
