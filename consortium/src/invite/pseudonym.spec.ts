import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { companyName, companySchema, isPseudonym, pseudonymOf, saltSchema } from './pseudonym.js';

const salt = '5a'.repeat(32);

describe('a company name', () => {
  it.each(['', ' Acme', 'Acme\t', 'a\nb', 'a'.repeat(101), 'u\u0308'])('is refused as %j', (name) =>
    expect(companySchema.safeParse(name).success).toBe(false),
  );
  it('gets one spelling', () => expect(companySchema.safeParse(companyName('  Mu\u0308ller ')).data).toBe('Müller'));
});

describe('a pseudonym', () => {
  it.each(['', '5a', 'Z'.repeat(64), '5A'.repeat(32)])('has no salt %j', (text) => expect(saltSchema.safeParse(text).success).toBe(false));

  it('is what any tool computes: 12 digits of SHA-256 over salt and name', () => {
    const expected = createHash('sha256').update(Buffer.from(salt, 'hex')).update('Müller', 'utf8').digest('hex').slice(0, 12);
    expect(pseudonymOf({ company: 'Müller', salt })).toBe(`site-${expected}`);
    expect(isPseudonym(`site-${expected}`)).toBe(true);
    expect(isPseudonym('site-alpha')).toBe(false);
  });

  it('differs with every byte of name and salt', () => {
    const all = [
      ['Acme', salt],
      ['Acme', `6${salt.slice(1)}`],
      ['acme', salt],
      ['Acme.', salt],
    ].map(([company, key]) => pseudonymOf({ company: company!, salt: key! }));
    expect(new Set(all).size).toBe(all.length);
  });
});
