import { describe, expect, it } from 'vitest';
import { type UploadState, decideUploads } from './freeze.rule.js';

const LISTED = ['alpha', 'beta', 'gamma', 'zeta'];
const state = (change: Partial<UploadState>): UploadState => ({
  listed: LISTED,
  uploaded: new Set(),
  declined: new Set(),
  absent: new Set(),
  minContributors: 3,
  pastDeadline: false,
  ...change,
});

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

  it('are asked for again with fresh nonces when too few came', () => {
    expect(decideUploads(state({ uploaded: new Set(['alpha', 'beta']), absent: new Set(['gamma', 'zeta']) })).kind).toBe('new-attempt');
    expect(decideUploads(state({ uploaded: new Set(['alpha']), pastDeadline: true })).kind).toBe('new-attempt');
  });
});
