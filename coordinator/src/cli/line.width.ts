import { printable } from '../runs/printable.text.js';

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** East Asian wide and full-width characters and pictures take two columns (UAX #11, classes W and F, by their blocks). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** Marks, and what joins or directs without being seen. */
const INVISIBLE = /^[\p{Mark}\p{Cf}]+$/u;

function columnsOfOne(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}

/** How many columns of a terminal a text takes. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const { segment } of segmenter.segment(text)) columns += columnsOfOne(segment);
  return columns;
}

/** A text on one line of at most `columns`, with an ellipsis where it was cut. */
export function cutTo(text: string, columns: number): string {
  if (columns <= 0) return '';
  const line = printable(text);
  if (columnsOf(line) <= columns) return line;
  let cut = '';
  let left = columns - 1;
  for (const { segment } of segmenter.segment(line)) {
    left -= columnsOfOne(segment);
    if (left < 0) break;
    cut += segment;
  }
  return `${cut}…`;
}

/** A text on at most `most` lines of at most `columns`, broken at spaces; what does not fit is cut. */
export function wrapTo(text: string, columns: number, most: number): string[] {
  const lines: string[] = [];
  let line = '';
  const words = printable(text)
    .split(/ +/)
    .filter((word) => word !== '');
  for (const [index, word] of words.entries()) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (columnsOf(longer) <= columns) {
      line = longer;
      continue;
    }
    if (lines.length === most - 1) return [...lines, cutTo([line, ...words.slice(index)].join(' ').trimStart(), columns)];
    if (line !== '') lines.push(line);
    line = cutTo(word, columns);
  }
  return line === '' ? lines : [...lines, cutTo(line, columns)];
}

/** `width` characters, filled in proportion; one that has begun is never shown empty, one that is not whole never full. */
export function bar(done: number, of: number, width: number): string {
  const share = of === 0 ? 0 : Math.min(1, done / of);
  const rounded = Math.round(share * width);
  const filled = share === 0 ? 0 : share === 1 ? width : Math.min(Math.max(rounded, 1), width - 1);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}
