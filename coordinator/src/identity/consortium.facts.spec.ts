import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCrypto } from '@coferment/crypto';
import { encodeVkey, publicKeyFromSeed, verifierKey } from '@coferment/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepWitnessServers, readFacts } from './consortium.facts.js';
import { found } from './consortium.identity.js';

const folder = mkdtempSync(join(tmpdir(), 'facts-'));
const file = join(folder, 'consortium.json');
const vkey = encodeVkey(verifierKey('witness', 'witness.example/w', publicKeyFromSeed(new Uint8Array(32).fill(1))));

describe('what a coordinator keeps of its consortium', () => {
  beforeAll(async () => {
    await loadCrypto();
    await found(folder, 'a passphrase for tests', { consortium: 'acme', origin: 'ledger.example/acme' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['too many witnesses', Array.from({ length: 17 }, () => `${vkey} https://w.example`)],
    ['a witness that is too long', [`${vkey} https://w.example/${'x'.repeat(1000)}`]],
  ])('is never what the next start would not read: %s', (_, servers) => {
    const before = readFileSync(file, 'utf8');
    expect(() => keepWitnessServers(folder, servers)).toThrow(
      expect.objectContaining({ code: 'malformed', message: expect.stringContaining('witnessServers') }),
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(readFacts(folder).witnessServers).toEqual([]);
  });

  it('is refused with a reason when an earlier version founded it, and not taken for damaged', () => {
    const before = readFileSync(file, 'utf8');
    const { witnessQuorum, witnesses, witnessServers, ...earlier } = JSON.parse(before) as Record<string, unknown>;
    expect([witnessQuorum, witnesses, witnessServers]).toEqual([2, [], []]);
    writeFileSync(file, JSON.stringify(earlier));
    expect(() => readFacts(folder)).toThrow(
      expect.objectContaining({ code: 'folder-unusable', message: expect.stringContaining('"acme"') }),
    );
    expect(() => readFacts(folder)).toThrow(/founded by a version of Coferment without witnesses.*Nothing is lost/);
    writeFileSync(file, '{}');
    expect(() => readFacts(folder)).toThrow(/is damaged/);
    writeFileSync(file, before);
  });
});
