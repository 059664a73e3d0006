import { describe, expect, it } from 'vitest';
import { shownData, shownText } from './shown.text.js';

describe('text that somebody else wrote', () => {
  it.each([
    ['a terminal escape', '\u001b[2Jok', '<U+001B>[2Jok'],
    ['a C1 control', 'a\u009bb', 'a<U+009B>b'],
    ['a new line', 'late\nThis ledger holds.', 'late<U+000A>This ledger holds.'],
    ['a line separator', 'a\u2028b', 'a<U+2028>b'],
    ['a right-to-left override', 'a\u202eb', 'a<U+202E>b'],
    ['an isolate', '\u2067a\u2069', '<U+2067>a<U+2069>'],
    ['a zero-width space', 'al\u200bpha', 'al<U+200B>pha'],
    ['half a surrogate pair', 'a\ud800b', 'a\ufffdb'],
    ['a tag character', 'a\u{e0041}b', 'a<U+E0041>b'],
  ])('is shown with %s as its number', (_, text, shown) => {
    expect(shownText(text)).toBe(shown);
  });

  it('is shown so wherever it stands in plain data, and all else stays', () => {
    const data = { reason: '\u001b[2J', sizes: [5n, 7, null, undefined, true], of: [{ where: 'a\nb' }], bytes: Uint8Array.of(27) };
    expect(shownData(data)).toEqual({ ...data, reason: '<U+001B>[2J', of: [{ where: 'a<U+000A>b' }] });
  });

  it.each(['Titre at harvest', 'Hefewerk Süd', '发酵 A', 'תסיסה', '<script>'])('is otherwise left as it is: %s', (text) => {
    expect(shownText(text)).toBe(text);
  });
});
