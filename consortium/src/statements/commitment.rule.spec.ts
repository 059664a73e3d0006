import { describe, expect, it } from 'vitest';
import { commitmentOf, committedFacts, openingOf, openingSchema } from './commitment.rule.js';

const salt = new Uint8Array(32).fill(7);

describe('a commitment', () => {
  it('is opened by what it was made from', () => {
    const opening = openingOf('samples', salt, 1200);
    expect(openingSchema.parse(JSON.parse(JSON.stringify(opening)))).toEqual(opening);
    expect(commitmentOf(opening)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('differs with value, salt and fact, of which none follows from another', () => {
    const other = Uint8Array.from(salt, (byte, index) => (index === 31 ? byte ^ 1 : byte));
    const all = [openingOf('samples', salt, 1200), openingOf('samples', salt, 1201), openingOf('samples', other, 1200)].map(commitmentOf);
    const keys = committedFacts.map((fact) => openingOf(fact, salt, 1).key);
    expect(new Set([...all, ...keys]).size).toBe(6);
    for (const key of keys) expect(key).not.toBe(Buffer.from(salt).toString('hex'));
  });

  it.each([
    { fact: 'rows', key: 'a'.repeat(64), value: 1 },
    { fact: 'samples', key: 'A'.repeat(64), value: 1 },
    { fact: 'samples', key: 'a'.repeat(64), value: -1 },
    { fact: 'samples', key: 'a'.repeat(64), value: 1.5 },
    { fact: 'samples', key: 'a'.repeat(64), value: 1, salt: '' },
  ])('is not opened by what is malformed: %j', (opening) => {
    expect(openingSchema.safeParse(opening).success).toBe(false);
  });
});
