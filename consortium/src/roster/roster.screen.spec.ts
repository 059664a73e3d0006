import { describe, expect, it } from 'vitest';
import { CONSORTIUM, members } from '../context/members.fixture.js';
import { identityWords } from '../invite/index.js';
import { formatFingerprint, rosterFingerprint } from './roster.js';
import { describeChanges, describeMembers, missingSites, rosterLines } from './roster.screen.js';

const RUN = 'r1-0123456789abcdef';
const ids = ['alpha', 'beta', 'delta', 'epsilon', 'gamma'];
const { roster } = members(ids);
const scene = { consortium: CONSORTIUM, run: RUN, epoch: 1, asked: ids };

describe('the lines of a roster', () => {
  it('say everything that the fingerprint covers in words of people', () => {
    const lines = rosterLines(roster, { ...scene, asked: [...ids, 'zeta'] });
    expect(lines).toContain(`Fingerprint: ${formatFingerprint(rosterFingerprint(roster))}`);
    for (const { site, identityKey } of roster.sites)
      expect(lines.find((line) => line.startsWith(`  ${site} `))).toContain(identityWords(CONSORTIUM, site, identityKey).join(' '));
    const { n, m, tau, c, rho, minContributors } = roster.numbers;
    expect(lines.join('\n')).toContain(`Sites (${n})`);
    expect(lines.join('\n')).toMatch(new RegExp(`Key holders: ${m}; any ${tau} of them`));
    expect(lines.join('\n')).toMatch(new RegExp(`c = ${c}.*\\n.*ρ = ${rho}.*\\n.*minContributors = ${minContributors}`));
    expect(lines).toContain('Asked for this run and not in it: zeta');
    expect(lines.at(-1)).toBe('Against the key epoch before: there was none');
  });

  it('are as many whatever is missing, left out or changed, so that two screens can be read side by side', () => {
    const left = { ...roster, leftOut: ['gamma'], keyHolders: roster.keyHolders.filter(({ site }) => site !== 'gamma') };
    const lines = rosterLines(left, { ...scene, epoch: 2, before: roster });
    expect(lines).toHaveLength(rosterLines(roster, scene).length);
    expect(lines).toContain('Take part in this key epoch: 4 of 5; left out: gamma');
    expect(lines.find((line) => line.startsWith('  gamma'))).toMatch(/ {2}left out$/);
    expect(lines.at(-1)).toMatch(/^Against the key epoch before: now left out: gamma; key holders: /);
  });

  it('differ where a key differs', () => {
    const other = structuredClone(roster);
    other.sites[2]!.identityKey = 'f'.repeat(64);
    const [here, there] = [rosterLines(roster, scene), rosterLines(other, scene)];
    expect(here.filter((line, index) => line !== there[index]).map((line) => line.trim().split(' ')[0])).toEqual(['Fingerprint:', 'delta']);
  });

  it('name who is missing and what has changed, on their own too', () => {
    expect(missingSites(roster, ['alpha', 'zeta'])).toEqual(['zeta']);
    expect(missingSites(roster, ids)).toEqual([]);
    expect(describeChanges(roster, roster)).toBe('the members are the same');
    expect(describeChanges({ ...roster, leftOut: ['beta'] }, roster)).toBe('no longer left out: beta');
    expect(describeMembers(roster)).toMatch(/^sites alpha, beta, delta, epsilon, gamma; /);
  });
});
