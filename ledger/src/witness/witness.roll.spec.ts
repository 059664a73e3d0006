import { identityFromSeed } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import type { Statement } from '@coferment/consortium';
import { encodeVkey, parseVkey, publicKeyFromSeed, verifierKey } from '../note/index.js';
import { parsePolicy } from '../policy/index.js';
import { WitnessRoll, witnessName } from './witness.roll.js';

const ORIGIN = 'ledger.example/acme';
const digest = 'a'.repeat(64);
const seedOf = (site: string) => new Uint8Array(32).fill(site.charCodeAt(0));
const keyOf = (site: string) => verifierKey('witness', witnessName(ORIGIN, site), publicKeyFromSeed(seedOf(site)));
const log = encodeVkey(verifierKey('log', ORIGIN, publicKeyFromSeed(new Uint8Array(32).fill(1))));
const consortium = 'acme';

const said = (name: Statement['name'], predicate: object) => ({ name, predicate, digest }) as Statement;
const charter = (witnessQuorum: number | 'majority', witnesses: string[] = []) =>
  said('charter', { consortium, ledgerReaders: 'members', siteNames: 'plain', witnessQuorum, witnesses });
const enrolled = (site: string) =>
  said('site-enrolled', {
    consortium,
    site,
    identityKey: Buffer.from(identityFromSeed(seedOf(site)).publicKey).toString('hex'),
    certificate: digest,
  });
const key = (site: string) => said('witness-key', { consortium, site, key: Buffer.from(publicKeyFromSeed(seedOf(site))).toString('hex') });

function rollOf(...statements: Statement[]): WitnessRoll {
  const roll = new WitnessRoll(ORIGIN);
  for (const statement of statements) roll.follow(statement);
  return roll;
}

describe('the roll of witnesses', () => {
  it('makes a policy that its quorum meets, and one less does not', () => {
    const roll = rollOf(charter(2), ...['a', 'b', 'c'].flatMap((site) => [enrolled(site), key(site)]));
    const policy = parsePolicy(roll.policyText(log));
    for (const [cosigned, met] of [
      [['a'], false],
      [['a', 'c'], true],
      [['a', 'a'], false],
      [['a', 'd'], false],
    ] as const) {
      const keys = cosigned.map((site) => policy.witnesses.find(({ name }) => name === witnessName(ORIGIN, site)) ?? keyOf(site));
      expect(policy.isMetBy(keys), cosigned.join()).toBe(met);
      expect(roll.isMetBy(cosigned.map(keyOf)), cosigned.join()).toBe(met);
    }
  });

  it('counts a majority of the enrolled sites, with or without a key', () => {
    expect(
      [1, 2, 3, 4, 5].map((count) => rollOf(charter('majority'), ...['a', 'b', 'c', 'd', 'e'].slice(0, count).map(enrolled)).quorum),
    ).toEqual([1, 2, 2, 3, 3]);
  });

  it('drops the key of a site that has left, was revoked, or came back with another identity', () => {
    const start = [charter(1), enrolled('a'), key('a')];
    expect(rollOf(...start).keys).toHaveLength(1);
    for (const end of [
      said('site-left', { consortium, site: 'a', reason: '' }),
      said('site-revoked', { consortium, site: 'a', reason: '' }),
      enrolled('a'),
    ])
      expect(rollOf(...start, end).keys).toEqual([]);
  });

  it('knows witnesses outside the consortium by the charter', () => {
    const outside = encodeVkey(verifierKey('witness', 'university.example/w', publicKeyFromSeed(seedOf('u'))));
    expect(rollOf(charter(1, [outside])).policyText(log)).toBe(
      `log ${log}\nwitness w1 ${outside}\ngroup witnesses 1 w1\nquorum witnesses\n`,
    );
  });

  it('counts one key once, however many names it has', () => {
    const named = (name: string, seed = 'u') => encodeVkey(verifierKey('witness', name, publicKeyFromSeed(seedOf(seed))));
    const outside = [named('university.example/w1'), named('university.example/w2')];
    const roll = rollOf(charter(2, outside), enrolled('u'), key('u'));
    expect(roll.isMetBy([...outside.map(parseVkey), keyOf('u')])).toBe(false);
    expect(roll.keys.map(encodeVkey)).toEqual([outside[0]]);
    expect(parsePolicy(roll.policyText(log)).witnesses).toHaveLength(1);
    const met = rollOf(charter(2, [...outside, named('other.example/w', 'o')]));
    expect(met.isMetBy([outside[0]!, named('other.example/w', 'o')].map(parseVkey))).toBe(true);
    expect(parsePolicy(met.policyText(log)).quorum).toBe('witnesses');
  });

  it('says that its quorum cannot be met yet', () => {
    expect(rollOf(charter(2), enrolled('a'), key('a')).policyText(log)).toMatch(
      /asks for 2 witnesses; 1 are known so far.\nquorum none\n$/,
    );
    expect(rollOf(charter(0)).policyText(log)).toBe(`log ${log}\nquorum none\n`);
  });
});
