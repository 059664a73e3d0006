import { expect, it } from 'vitest';
import { LineSplitter } from './line.splitter.js';

it('keeps lines and characters whole that arrive in pieces', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  const bytes = Buffer.from('erste Zeile: ✓\r\nzweite\n\ndritte');
  for (const byte of bytes) splitter.write(Buffer.of(byte));
  expect(lines).toEqual(['erste Zeile: ✓', 'zweite', '']);
  splitter.flush();
  expect(lines.at(-1)).toBe('dritte');
});
