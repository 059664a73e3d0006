import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERASED, KEPT } from './leave.command.js';

it('the lists of what leaving erases and keeps are those of docs/leaving.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/leaving.md'), 'utf8');
  const listUnder = (title: string) =>
    (page.split(`## ${title}\n`)[1] ?? '')
      .split('\n## ')[0]!
      .match(/^- .+$/gm)
      ?.map((line) => line.slice(2));
  expect(listUnder('What is erased')).toEqual([...ERASED]);
  expect(listUnder('What is kept')).toEqual([...KEPT]);
});
