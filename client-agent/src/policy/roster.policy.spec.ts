import { rosterBytes, MAX_SITES, signStatement } from '@coferment/consortium';
import { bytesToHex, generateIdentity, generateSealingKey } from '@coferment/crypto';
import { expect, it } from 'vitest';
import { MAX_ROSTER_BYTES } from './roster.policy.js';

it('leaves room for the sealing keys of as many sites as there may be, with the longest names', () => {
  const identity = generateIdentity();
  const entry = (_: unknown, index: number) => {
    const site = `site-${index}`.padEnd(40, 'x');
    const key = bytesToHex(generateSealingKey().publicKey);
    const context = { consortium: 'c'.repeat(64), run: `r999999-${'f'.repeat(16)}`, epoch: 999_999 };
    return { site, key, identityKey: 'f'.repeat(64), envelope: signStatement('sealing-key', { ...context, site, key }, identity) };
  };
  const entries = Array.from({ length: MAX_SITES }, entry);
  const sealingKeys = entries.map(({ site, key, envelope }) => ({ site, key, envelope }));
  const sites = entries.map(({ site, identityKey }) => ({ site, identityKey }));
  const bytes = rosterBytes({ sites, keyHolders: [], numbers: {} as never, parameters: {} as never, leftOut: [], sealingKeys });
  // What is left out here is a few kilobytes.
  expect(bytes.length).toBeLessThan(MAX_ROSTER_BYTES - 50_000);
});
