import { describe, expect, it } from 'vitest';
import { digestOf } from '../context/members.fixture.js';
import { identityWords, sameWords } from './identity.words.js';

describe('the words of an identity key', () => {
  it('are six, the same on every machine', () => {
    const words = identityWords('acme', 'alpha', digestOf(1));
    expect(words).toHaveLength(6);
    expect(identityWords('acme', 'alpha', digestOf(1))).toEqual(words);
    expect(words).toMatchInlineSnapshot(`
      [
        "crew",
        "action",
        "pudding",
        "brown",
        "tree",
        "sunset",
      ]
    `);
  });

  it('differ with the consortium, the name and the key', () => {
    const all = [
      identityWords('acme', 'alpha', digestOf(1)),
      identityWords('acme', 'alpha', digestOf(2)),
      identityWords('acme', 'beta', digestOf(1)),
      identityWords('acmf', 'alpha', digestOf(1)),
    ].map((words) => words.join(' '));
    expect(new Set(all).size).toBe(4);
  });

  it('use every bit: 4000 keys give words all over the list in each place', () => {
    const seen = Array.from({ length: 6 }, () => new Set<string>());
    for (let key = 0; key < 4000; key++) identityWords('acme', 'alpha', digestOf(key)).forEach((word, place) => seen[place]!.add(word));
    for (const place of seen) expect(place.size).toBeGreaterThan(1600);
  });
});

describe('words that a person typed', () => {
  const words = ['able', 'acid', 'zoo', 'bean', 'car', 'dog'];
  it.each(['', 'able acid zoo bean car', 'able acid zoo bean car dog dog', 'acid able zoo bean car dog', 'able acid zoo bean car dot'])(
    'are others: %j',
    (typed) => expect(sameWords(typed, words)).toBe(false),
  );
  it.each(['able acid zoo bean car dog', '  Able, ACID zoo\nbean car dog ', '1 able 2 acid 3 zoo 4 bean 5 car 6 dog'])(
    'are these: %j',
    (typed) => expect(sameWords(typed, words)).toBe(true),
  );
});
