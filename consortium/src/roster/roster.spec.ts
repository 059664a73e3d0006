import { describe, expect, it } from 'vitest';
import { signStatement } from '../statements/index.js';
import { CONSORTIUM, RUN, digestOf, members } from '../context/members.fixture.js';
import { type Roster, checkRoster, checkSealingKeys, holderPoint, parseRoster, rosterBytes, rosterFingerprint } from './roster.js';

const ids = ['alpha', 'beta', 'delta', 'epsilon', 'gamma'];
const { identities, roster } = members(ids);
const changed = (change: (copy: Roster) => void): Roster => {
  const copy = structuredClone(roster);
  change(copy);
  return copy;
};

describe('a roster', () => {
  it('comes back from its bytes', () => expect(parseRoster(rosterBytes(roster))).toEqual(roster));
  it('gives points 1, −1, 2, −2, …', () => expect([0, 1, 2, 3, 4].map(holderPoint)).toEqual([1, -1, 2, -2, 3]));

  it.each<[string, (copy: Roster) => void, string]>([
    ['a holder twice', (copy) => (copy.keyHolders[1] = { ...copy.keyHolders[0]!, point: -1 }), 'key holder twice'],
    ['a point swapped', (copy) => (copy.keyHolders[0]!.point = -1), 'has point -1'],
    ['a zero point', (copy) => (copy.keyHolders[0]!.point = 0), 'has point 0'],
    ['unsorted sites', (copy) => copy.sites.reverse(), 'sorted and distinct'],
    ['one identity key twice', (copy) => (copy.sites[1]!.identityKey = copy.sites[0]!.identityKey), 'same identity key'],
    ['a stranger as key holder', (copy) => (copy.keyHolders[4]!.site = 'zeta'), 'not one of its sites'],
    ['τ ≤ c', (copy) => (copy.numbers.tau = 2), 'threshold 2'],
    ['a lower ρ', (copy) => (copy.numbers.rho = 3), 'attest quorum 3'],
    ['too few contributors', (copy) => (copy.numbers.minContributors = 3), 'minContributors 3'],
  ])('is refused with %s', (_, change, message) => expect(() => checkRoster(changed(change))).toThrow(message));

  it.each([
    ['empty', ''],
    ['not JSON', '{'],
    ['with an unknown field', JSON.stringify({ ...roster, extra: 1 })],
    ['not canonical', JSON.stringify(roster, null, 1)],
  ])('is refused when %s', (_, text) => expect(() => parseRoster(new TextEncoder().encode(text))).toThrow('roster is refused'));
});

describe('the fingerprint', () => {
  it('changes with any key, point, holder or number, and not with sealing keys', () => {
    const fingerprint = rosterFingerprint(roster);
    expect(rosterFingerprint(changed((copy) => (copy.sites[0]!.identityKey = digestOf(0x5a))))).not.toBe(fingerprint);
    expect(rosterFingerprint(changed((copy) => (copy.keyHolders[0]!.point = 2)))).not.toBe(fingerprint);
    expect(rosterFingerprint(changed((copy) => (copy.numbers.minContributors = 5)))).not.toBe(fingerprint);
    expect(rosterFingerprint(changed((copy) => (copy.parameters.keptBits = 81)))).not.toBe(fingerprint);
    expect(rosterFingerprint(changed((copy) => (copy.sealingKeys[0]!.key = copy.sealingKeys[1]!.key)))).toBe(fingerprint);
  });
});

describe('sealing keys', () => {
  const context = { consortium: CONSORTIUM, run: RUN, epoch: 1 };
  it('are accepted when each is signed by its owner', () => expect(() => checkSealingKeys(roster, context)).not.toThrow());
  it('are refused for another epoch or run', () => {
    expect(() => checkSealingKeys(roster, { ...context, epoch: 2 })).toThrow('another run, epoch, site or key');
    expect(() => checkSealingKeys(roster, { ...context, run: 'r2-0123456789abcdef' })).toThrow('another run, epoch, site or key');
  });
  it('are refused when one was swapped', () =>
    expect(() =>
      checkSealingKeys(
        changed((copy) => (copy.sealingKeys[0]!.key = copy.sealingKeys[1]!.key)),
        context,
      ),
    ).toThrow('another run, epoch, site or key'));
  it.each<[string, (key: string, other: string) => string, RegExp]>([
    ['a point of low order', (key) => '0'.repeat(64) + key.slice(64), /of "beta" has a point of low order/],
    ['a coefficient above the modulus', (key) => `${key.slice(0, 64)}ffff${key.slice(68)}`, /of "beta" .*FIPS 203/],
    ['its halves swapped', (key) => key.slice(64) + key.slice(0, 64), /of "beta" .*FIPS 203/],
  ])('are refused with %s, though their owner has signed them', (_, change, message) => {
    const altered = changed((copy) => {
      const entry = copy.sealingKeys[1]!;
      const key = change(entry.key, copy.sealingKeys[0]!.key);
      copy.sealingKeys[1] = {
        ...entry,
        key,
        envelope: signStatement('sealing-key', { ...context, site: 'beta', key }, identities.get('beta')!),
      };
    });
    expect(() => checkSealingKeys(altered, context)).toThrow(message);
  });
  it('are refused with one half only', () => {
    const half = changed((copy) => (copy.sealingKeys[0]!.key = copy.sealingKeys[0]!.key.slice(0, 64)));
    expect(() => parseRoster(rosterBytes(half))).toThrow('sealingKeys.0.key');
  });
  it('are refused when one is missing', () =>
    expect(() =>
      checkSealingKeys(
        changed((copy) => copy.sealingKeys.pop()),
        context,
      ),
    ).toThrow('exactly one sealing key'));
});
