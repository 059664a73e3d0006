import type { Dice } from './wire.mutation.fixture.js';

/** What breaks parsers: ends of structures, numbers at their edges, what JavaScript objects know, what YAML and CSV give a meaning. */
const PIECES = [
  '',
  '\n',
  '\n\n',
  '\r',
  '\t',
  '\0',
  '\ud800',
  '\u202e',
  '\ufeff',
  '"',
  "'",
  ',',
  ';',
  ':',
  ': ',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '#',
  '|',
  '>',
  '&a ',
  '*a',
  '!!js/function ',
  '__proto__',
  'constructor',
  'null',
  'true',
  '~',
  '.nan',
  '.inf',
  '-1',
  '0',
  '1e999',
  '9007199254740993',
  '00',
  '0x10',
  '1_000',
  'x'.repeat(3000),
  '— a b\n',
  '{"a":'.repeat(200),
  '['.repeat(3000),
  '%',
  '/',
  '../',
  '\\',
  '2026-02-30',
  '24:61',
];

/** One to four changes anywhere: a piece put in, a stretch taken out, doubled, moved, or a byte flipped. */
export function mutateText(text: string, dice: Dice): string {
  let changed = text;
  for (let change = 1 + dice.below(4); change > 0; change--) changed = changedOnce(changed, dice);
  return changed;
}

function changedOnce(text: string, dice: Dice): string {
  const from = dice.below(text.length + 1);
  const to = Math.min(text.length, from + 1 + dice.below(dice.of([1, 8, 80, 4000])));
  const [before, stretch, after] = [text.slice(0, from), text.slice(from, to), text.slice(to)];
  switch (dice.below(6)) {
    case 0:
      return before + dice.of(PIECES) + text.slice(from);
    case 1:
      return before + dice.of(PIECES) + after;
    case 2:
      return before + after;
    case 3:
      return before + stretch + stretch + after;
    case 4:
      return after + stretch + before;
    default:
      return before + String.fromCharCode((stretch.charCodeAt(0) || 0) ^ (1 << dice.below(8))) + stretch.slice(1) + after;
  }
}
