import { type Statement, peekStatement, signStatement } from '@coferment/consortium';
import { type Identity, bytesToHex, generateIdentity, loadCrypto } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { WitnessKeys } from './witness-key.rule.js';

let site: Identity;
beforeAll(async () => {
  await loadCrypto();
  site = generateIdentity();
});

const declared = (number: number) =>
  peekStatement(
    signStatement('witness-key', { consortium: 'acme', site: 'alpha', key: number.toString(16).padStart(64, '0') }, site),
  ) as Statement<'witness-key'>;

const enrolled = () => ({ name: 'site-enrolled', predicate: { site: 'alpha', identityKey: bytesToHex(site.publicKey) } }) as Statement;

describe('the witness keys of a site', () => {
  it('are eight since it joined, and no more', () => {
    const keys = new WitnessKeys(['f'.repeat(64)]);
    keys.follow(enrolled());
    for (let number = 1; number <= 8; number++) {
      expect(keys.admit(declared(number))).toBe(true);
      keys.follow(declared(number));
    }
    // The one that holds is answered as ever.
    expect(keys.admit(declared(8))).toBe(false);
    expect(() => keys.admit(declared(9))).toThrow(
      expect.objectContaining({ code: 'forbidden', message: expect.stringContaining('8 witness keys') }),
    );
    keys.follow(enrolled());
    expect(keys.admit(declared(9))).toBe(true);
    expect(() => keys.admit(declared(3))).toThrow(expect.objectContaining({ code: 'already-different' }));
  });
});
