import { encodeVkey, publicKeyFromSeed, verifierKey } from '@coferment/ledger';
import { describe, expect, it } from 'vitest';
import { requireSameCharter, requireSoundCharter } from './charter.rule.js';
import type { Charter, ConsortiumFacts } from './consortium.identity.js';

const ORIGIN = 'ledger.example/acme';
const vkeyOf = (name: string, seed = 1, kind: 'log' | 'witness' = 'witness') =>
  encodeVkey(verifierKey(kind, name, publicKeyFromSeed(new Uint8Array(32).fill(seed))));
const [first, second] = [vkeyOf('witness.example/a', 1), vkeyOf('witness.example/b', 2)];

describe('a charter to be founded with', () => {
  it.each<Partial<Charter>>([{}, { witnessQuorum: 0 }, { witnessQuorum: 99 }, { witnessQuorum: 'majority', witnesses: [first, second] }])(
    '%j is sound',
    (charter) => {
      expect(() => requireSoundCharter(charter, ORIGIN)).not.toThrow();
    },
  );

  it.each<[string, Partial<Charter>, RegExp]>([
    ['more cosignatures than a note holds', { witnessQuorum: 100 }, /at most 99 cosignatures/],
    ['a witness that is no key', { witnesses: ['witness.example/a'] }, /is not a witness's key/],
    ["a log's key", { witnesses: [vkeyOf('witness.example/a', 1, 'log')] }, /signs a log's notes/],
    ['one key under two names', { witnesses: [first, vkeyOf('witness.example/b', 1)] }, /given twice/],
    ['a name that a site could have', { witnesses: [vkeyOf(`${ORIGIN}/alpha`)] }, /those of its sites/],
    ['the name of the log', { witnesses: [vkeyOf(ORIGIN)] }, /those of its sites/],
  ])('with %s is refused', (_, charter, message) => {
    expect(() => requireSoundCharter(charter, ORIGIN)).toThrow(
      expect.objectContaining({ code: 'malformed', message: expect.stringMatching(message) }),
    );
  });
});

describe('a later start', () => {
  const facts = {
    consortium: 'acme',
    ledgerReaders: 'anyone',
    siteNames: 'plain',
    witnessQuorum: 2,
    witnesses: [first, second],
  } as ConsortiumFacts;

  it.each<Partial<Charter>>([{}, { ledgerReaders: 'anyone' }, { witnessQuorum: 2 }, { witnesses: [second, first] }])(
    'goes on with %j',
    (charter) => {
      expect(() => requireSameCharter(charter, facts)).not.toThrow();
    },
  );

  it.each<Partial<Charter>>([
    { ledgerReaders: 'members' },
    { siteNames: 'pseudonyms' },
    { witnessQuorum: 1 },
    { witnessQuorum: 'majority' },
    { witnesses: [] },
    { witnesses: [first] },
  ])('is refused with %j', (charter) => {
    expect(() => requireSameCharter(charter, facts)).toThrow(
      expect.objectContaining({ code: 'folder-unusable', message: expect.stringContaining('a witness quorum of 2') }),
    );
  });
});
