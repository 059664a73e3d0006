import { describe, expect, it } from 'vitest';
import { Html, markup } from './html.markup.js';

describe('a template of markup', () => {
  it.each([
    ['a tag', '<b>', '&lt;b&gt;'],
    ['an entity', '&lt;', '&amp;lt;'],
    ['double quotes', '" onload="x', '&quot; onload=&quot;x'],
    ['single quotes', "' x='", '&#39; x=&#39;'],
    ['a direction mark', '\u202e', '&lt;U+202E&gt;'],
    ['a replacement pattern', '$&$1', '$&amp;$1'],
  ])('escapes %s', (_, text, escaped) => {
    expect(markup`<p title="${text}">${text}</p>`.markup).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  it('takes in markup as it is, alone or in a list, and numbers', () => {
    expect(markup`${new Html('<b>')}${[markup`<i>`, markup`${1.5}`]}`.markup).toBe('<b><i>1.5');
  });
});
