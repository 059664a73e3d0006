import { describe, expect, it } from 'vitest';
import { tableText } from './table.text.js';

const columns = [{ title: 'Site' }, { title: 'Counted', isNumber: true }, { title: 'Why', wraps: true }];
const rows = [
  ['alpha', '12', ''],
  ['发酵', '3', 'it was late in every round that came after the first one'],
];

describe('a table', () => {
  it('stands in columns, without colours or trailing blanks, where there is room', () => {
    expect(tableText({ columns, rows }, 100).split('\n')).toEqual([
      'Site   Counted  Why',
      'alpha       12',
      '发酵         3  it was late in every round that came after the first one',
    ]);
  });

  it('breaks what can be broken where there is less', () => {
    const lines = tableText({ columns, rows }, 50).split('\n');
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(50);
  });

  it('becomes a list on a narrow terminal and loses nothing', () => {
    expect(tableText({ columns, rows }, 30)).toBe(
      'Site: alpha\n  Counted: 12\nSite: 发酵\n  Counted: 3\n  Why: it was late in every round that came after the first one',
    );
  });
});
