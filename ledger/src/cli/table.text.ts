import Table from 'cli-table3';
import type { AccountTable } from '../report/index.js';

/** Below this many characters for a column that wraps, a row is easier to read as a list of its fields. */
const MIN_WRAPPED = 18;
const GAP = 2;
const blank = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

/**
 * Rows under their titles, without lines around them, so that a pipe gets plain text; where the terminal is too narrow for that, one field a line.
 * @param width characters of a line
 */
export function tableText({ columns, rows }: AccountTable, width: number): string {
  const natural = columns.map(({ title }, index) => rows.reduce((most, row) => Math.max(most, cellsOf(row[index]!)), title.length) + GAP);
  const taken = columns.reduce((sum, { wraps }, index) => sum + (wraps === true ? 0 : natural[index]!), 0);
  const wrapping = columns.flatMap(({ wraps }, index) => (wraps === true ? [index] : []));
  const wanted = wrapping.reduce((sum, index) => sum + natural[index]!, 0);
  const room = width - taken;
  const share = Math.floor(room / Math.max(1, wrapping.length));
  const fits = wanted <= room;
  if (room < 0 || (!fits && share < MIN_WRAPPED)) return stacked({ columns, rows });
  const colWidths = natural.map((own, index) => (fits || columns[index]!.wraps !== true ? own : share));
  const table = new Table({
    head: columns.map(({ title }) => title),
    colWidths,
    wordWrap: true,
    chars: blank,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
    colAligns: columns.map(({ isNumber }) => (isNumber === true ? 'right' : 'left')),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function stacked({ columns, rows }: AccountTable): string {
  return rows
    .map((row) =>
      columns.flatMap(({ title }, index) => (row[index] === '' ? [] : [`${index === 0 ? '' : '  '}${title}: ${row[index]}`])).join('\n'),
    )
    .join('\n');
}

/** Cells of a terminal: Chinese, Japanese and Korean characters take two each. */
function cellsOf(text: string): number {
  return text.length + (text.match(/[\u2e80-\uffff]/g)?.length ?? 0);
}
