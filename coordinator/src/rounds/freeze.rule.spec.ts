import { describe, expect, it } from 'vitest';
import { type UploadState, decideUploads as decide } from './freeze.rule.js';

const LISTED = ['alpha', 'beta', 'gamma', 'zeta'];
const state = (change: Partial<UploadState>): UploadState => ({
  listed: LISTED,
  uploaded: new Set(),
  declined: new Set(),
  absent: new Set(),
  setAside: new Set(),
  minContributors: 3,
  pastDeadline: false,
  ...change,
});

const decideUploads = (uploads: UploadState) => decide({ onDeadline: 'proceed-with-quorum' }, uploads);

describe('uploads of an attempt', () => {
  it('are frozen when all have come, in site order', () => {
    expect(decideUploads(state({ uploaded: new Set(LISTED.toReversed()) }))).toEqual({ kind: 'freeze', counted: LISTED, dropped: [] });
  });

  it('are waited for while a listed site is there', () => {
    expect(decideUploads(state({ uploaded: new Set(['alpha', 'beta', 'gamma']) })).kind).toBe('wait');
  });

  it.each(['absent', 'declined'] as const)('are frozen without a site that is %s: it dropped out', (how) => {
    const decision = decideUploads(state({ uploaded: new Set(['gamma', 'beta', 'alpha']), [how]: new Set(['zeta']) }));
    expect(decision).toEqual({ kind: 'freeze', counted: ['alpha', 'beta', 'gamma'], dropped: [{ site: 'zeta', reason: 'dropped' }] });
  });

  it('are not waited for from a site that is set aside, unless the sum has too few without it', () => {
    const setAside = new Set(['zeta']);
    expect(decideUploads(state({ uploaded: new Set(['alpha', 'beta', 'gamma']), setAside }))).toEqual({
      kind: 'freeze',
      counted: ['alpha', 'beta', 'gamma'],
      dropped: [{ site: 'zeta', reason: 'set-aside' }],
    });
    expect(decideUploads(state({ uploaded: new Set(['alpha', 'beta']), absent: new Set(['gamma']), setAside })).kind).toBe('wait');
    expect(decideUploads(state({ uploaded: new Set(LISTED), setAside }))).toMatchObject({ counted: LISTED, dropped: [] });
  });

  it('are waited for beyond the deadline, or given up at it, where the plan says so', () => {
    const late = state({ uploaded: new Set(['alpha', 'beta', 'gamma']), pastDeadline: true });
    expect(decide({ onDeadline: 'proceed-with-quorum' }, late).kind).toBe('freeze');
    expect(decide({ onDeadline: 'wait' }, late)).toEqual({ kind: 'wait' });
    expect(decide({ onDeadline: 'abandon' }, late)).toEqual({ kind: 'abandon', dropped: [{ site: 'zeta', reason: 'dropped' }] });
    // Whoever cannot come is not waited for, by any plan.
    for (const onDeadline of ['wait', 'abandon'] as const)
      expect(decide({ onDeadline }, { ...late, absent: new Set(['zeta']) }).kind).toBe('freeze');
  });

  it('are asked for again with fresh nonces when too few came', () => {
    expect(decideUploads(state({ uploaded: new Set(['alpha', 'beta']), absent: new Set(['gamma', 'zeta']) })).kind).toBe('new-attempt');
    expect(decideUploads(state({ uploaded: new Set(['alpha']), pastDeadline: true })).kind).toBe('new-attempt');
  });
});
