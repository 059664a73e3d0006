import { describe, expect, it } from 'vitest';
import { planAggregation } from '../budget/index.js';
import type { ConsortiumError } from '../errors/index.js';
import { type Plan, parsePlan, resolveQuorum } from '../plan/index.js';
import { type Renewal, renewRoster, requireEnoughMembers } from './renewal.rule.js';
import { type Roster, checkRoster, epochSites, firstSumOf, holderPoint, rosterFingerprint } from './roster.js';

const planOf = (privacy: object = {}): Plan =>
  parsePlan({
    schema: 1,
    plan: 'renewal',
    sample: { of: ['temperature'] },
    target: { variable: 'product_concentration' },
    model: { kind: 'linear' },
    privacy,
  });

function firstOf(plan: Plan, ids: readonly string[]): Roster {
  const numbers = resolveQuorum(plan, ids.length);
  const sites = ids.map((site, index) => ({ site, identityKey: (index + 1).toString(16).padStart(64, '0') }));
  const keyHolders = ids.slice(0, numbers.m).map((site, position) => ({ site, point: holderPoint(position) }));
  const parameters = planAggregation({ sites: numbers.n, keyHolders: numbers.m, threshold: numbers.tau });
  return { sites, keyHolders, numbers, parameters, leftOut: [], sealingKeys: [] };
}

const five = ['a', 'b', 'c', 'd', 'e'];
const plan = planOf({ keyHolders: 4, threshold: 3 });
const first = firstOf(plan, five);
const nothing = { plan, previous: first, leaveOut: [], replaceHolders: [], formerHolders: [], firstSum: 6 };
const holdersOf = (roster: Roster) => roster.keyHolders.map(({ site }) => site).join('');
const refusal = (change: Partial<Renewal>): ConsortiumError => {
  try {
    renewRoster({ ...nothing, ...change });
  } catch (error) {
    return error as ConsortiumError;
  }
  throw new Error('it was not refused');
};

describe('the roster of a later key epoch', () => {
  it('has the same members and numbers when nobody is left out, and so the same fingerprint', () => {
    const renewed = renewRoster(nothing);
    expect(rosterFingerprint(renewed)).toBe(rosterFingerprint(first));
    expect(firstSumOf(renewed)).toBe(6);
    expect(firstSumOf(first)).toBe(1);
  });

  it('leaves a site out of dealers and holders, and gives its place to the next that holds no key', () => {
    const renewed = renewRoster({ ...nothing, leaveOut: ['b'] });
    expect(epochSites(renewed)).toEqual(['a', 'c', 'd', 'e']);
    expect(holdersOf(renewed)).toBe('aecd');
    expect(renewed.numbers).toEqual(first.numbers);
    expect(renewed.leftOut).toEqual(['b']);
    expect(rosterFingerprint(renewed)).not.toBe(rosterFingerprint(first));
    expect(() => checkRoster(renewed)).not.toThrow();
  });

  it('keeps a replaced holder as a site of the epoch, and never brings it back as a holder', () => {
    const second = renewRoster({ ...nothing, replaceHolders: ['a'] });
    expect(holdersOf(second)).toBe('ebcd');
    expect(epochSites(second)).toEqual(five);
    const third = renewRoster({ ...nothing, previous: second, replaceHolders: ['b'], formerHolders: ['a'], firstSum: 12 });
    expect(holdersOf(third)).toBe('ecd');
    expect(third.numbers).toEqual({ ...first.numbers, m: 3 });
    expect(third.parameters).toEqual(planAggregation({ sites: 5, keyHolders: 3, threshold: 3 }));
    expect(() => checkRoster(third)).not.toThrow();
  });

  it('keeps packing, so a vector stored for one epoch serves in the next', () => {
    const { digitBits, digitsPerCoefficient, valueBits } = renewRoster({ ...nothing, leaveOut: ['a'], replaceHolders: ['b'] }).parameters;
    expect({ digitBits, digitsPerCoefficient, valueBits }).toEqual({
      digitBits: first.parameters.digitBits,
      digitsPerCoefficient: first.parameters.digitsPerCoefficient,
      valueBits: first.parameters.valueBits,
    });
  });

  it('is refused with the numbers when too few would open, attest or contribute', () => {
    expect(refusal({ leaveOut: ['a', 'b'] })).toMatchObject({
      code: 'impossible-quorum',
      message: expect.stringMatching(/3 sites of which ρ = 4 must attest/),
    });
    expect(refusal({ leaveOut: ['a'], replaceHolders: ['b', 'c'] })).toMatchObject({
      code: 'impossible-quorum',
      message: expect.stringMatching(/2 key holders of whom τ = 3 must open/),
    });
    const three = planOf();
    const small = firstOf(three, ['a', 'b', 'c']);
    expect(refusal({ plan: three, previous: small, leaveOut: ['a'] }).message).toMatch(
      /2 key holders .*τ = 3.*2 sites .*minContributors = 3.*2 sites .*ρ = 3/,
    );
  });

  it('is refused for a site or holder that is not there', () => {
    expect(refusal({ leaveOut: ['z'] })).toMatchObject({
      code: 'invalid-roster',
      message: expect.stringMatching(/"z" is not one of its sites/),
    });
    expect(refusal({ replaceHolders: ['e'] })).toMatchObject({
      code: 'invalid-roster',
      message: expect.stringMatching(/"e" is not one of its key holders/),
    });
    expect(refusal({ previous: { ...first, leftOut: ['b'] }, leaveOut: ['b'] }).message).toMatch(/left out already/);
  });

  it('says so too of a roster that somebody else made', () => {
    expect(() => requireEnoughMembers(renewRoster({ ...nothing, leaveOut: ['a'] }))).not.toThrow();
    expect(() => requireEnoughMembers({ ...first, leftOut: ['d', 'e'] })).toThrow(/ρ = 4/);
  });
});
