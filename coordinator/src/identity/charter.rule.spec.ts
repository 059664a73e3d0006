import { signStatement } from '@coferment/consortium';
import { type DsseEnvelope, generateIdentity, loadCrypto, signEnvelope } from '@coferment/crypto';
import { encodeVkey, entryFor, publicKeyFromSeed, verifierKey } from '@coferment/ledger';
import { beforeAll, describe, expect, it } from 'vitest';
import { requireCharter, requireSameCharter, requireSoundCharter } from './charter.rule.js';
import type { Charter, ConsortiumFacts } from './consortium.facts.js';

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

describe('a ledger that is gone on with', () => {
  beforeAll(loadCrypto);
  const fields = { consortium: 'acme', ledgerReaders: 'members', siteNames: 'plain' } as const;
  const entryOf = (sign: (operator: ReturnType<typeof generateIdentity>) => DsseEnvelope) => {
    const operator = generateIdentity();
    const envelope = sign(operator);
    return { entry: entryFor(envelope, operator.publicKey), payload: Buffer.from(envelope.payload, 'base64') };
  };
  const charter = () => entryOf((operator) => signStatement('charter', { ...fields, witnessQuorum: 2, witnesses: [] }, operator));

  it('has its charter as its second entry', () => {
    expect(() => requireCharter(charter(), 'folder', 'acme')).not.toThrow();
  });

  it('is damaged rather than old, when the charter is not what was signed', () => {
    const { entry } = charter();
    expect(() => requireCharter({ entry, payload: Buffer.from('{}') }, 'folder', 'acme')).not.toThrow();
  });

  it.each<[string, () => ReturnType<typeof charter> | undefined]>([
    ['no second entry', () => undefined],
    [
      'another second entry',
      () => entryOf((operator) => signStatement('witness-key', { consortium: 'acme', site: 'alpha', key: '1'.repeat(64) }, operator)),
    ],
    ['a charter without witnesses', () => entryOf((operator) => older(operator))],
  ])('is of an earlier version with %s, and is refused', (_, second) => {
    expect(() => requireCharter(second(), 'folder', 'acme')).toThrow(
      expect.objectContaining({ code: 'folder-unusable', message: expect.stringMatching(/founded by a version .* Nothing is lost/) }),
    );
  });

  /** As a version before witnesses signed it. */
  function older(operator: ReturnType<typeof generateIdentity>): DsseEnvelope {
    const whole = signStatement('charter', { ...fields, witnessQuorum: 2, witnesses: [] }, operator);
    const text = Buffer.from(whole.payload, 'base64').toString();
    const payload = text.replace(/,"witnessQuorum":2/, '').replace(/,"witnesses":\[\]/, '');
    return signEnvelope(Buffer.from(payload), operator);
  }
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
