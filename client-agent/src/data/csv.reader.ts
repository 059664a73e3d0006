import { parse, CsvError, type InfoRecord } from 'csv-parse/sync';
import { DataError } from './data.error.js';
import type { CsvLayout } from './mapping.schema.js';
import { nearestName } from './nearest-name.js';

export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

export interface CsvTable {
  readonly file: string;
  readonly header: readonly string[];
  readonly rows: readonly CsvRow[];
  /** Lines whose cells were all empty: spreadsheets leave them behind. They hold nothing, but the report counts them. */
  readonly emptyRows: number;
}

const DELIMITERS = [',', ';', '\t', '|'] as const;
const LINES_TO_COMPARE = 50;

/**
 * Reads one CSV file whole.
 * @param bytes as stored, with or without a byte-order mark
 * @throws DataError 'wrong-encoding' | 'empty-file' | 'malformed-csv'
 */
export function readCsv(file: string, bytes: Uint8Array, layout: Omit<CsvLayout, 'path'>): CsvTable {
  const text = decode(file, bytes, layout.encoding);
  if (text.trim() === '')
    throw new DataError('empty-file', 'the file is empty. Export it again, or leave it out of the mapping.', { file });
  const delimiter = layout.delimiter === 'auto' ? findDelimiter(file, text, layout) : layout.delimiter;
  const [header, ...rows] = parseRows(file, text, delimiter, layout.headerLine);
  if (header === undefined) {
    throw new DataError(
      'empty-file',
      `the file ends before line ${layout.headerLine}, where the mapping expects the header (headerLine).`,
      { file },
    );
  }
  const names = header.cells.map((name) => name.trim());
  const filled: CsvRow[] = [];
  for (const row of rows) {
    if (row.cells.every((cell) => cell.trim() === '')) continue;
    if (row.cells.length !== names.length) {
      throw new DataError(
        'malformed-csv',
        `${row.cells.length} cells, but the header has ${names.length}. Check the delimiter and quotes of this line.`,
        { file, line: row.line },
      );
    }
    filled.push(row);
  }
  if (filled.length === 0)
    throw new DataError('empty-file', 'there are no rows below the header. Export the file again, or leave it out of the mapping.', {
      file,
    });
  return { file, header: names, rows: filled, emptyRows: rows.length - filled.length };
}

/** Position of a named column. @throws DataError 'missing-column', with the nearest and all names of the file */
export function columnIndex(table: CsvTable, name: string): number {
  const index = table.header.indexOf(name);
  if (index < 0) {
    const nearest = nearestName(name, table.header);
    const suggestion = nearest === undefined ? '' : ` Did you mean '${nearest}'?`;
    const names = table.header.map((known) => `'${known}'`).join(', ');
    throw new DataError('missing-column', `the file has no such column.${suggestion} Its columns are: ${names}.`, {
      file: table.file,
      column: name,
    });
  }
  if (table.header.includes(name, index + 1)) {
    throw new DataError('malformed-csv', 'the file has two columns of this name. Rename one in the export.', {
      file: table.file,
      column: name,
    });
  }
  return index;
}

function decode(file: string, bytes: Uint8Array, encoding: CsvLayout['encoding']): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    const other = encoding === 'utf-8' ? 'gb18030' : 'utf-8';
    throw new DataError(
      'wrong-encoding',
      `the file is not ${encoding}. Save it as UTF-8, or set encoding: ${other} if it was written so.`,
      { file },
    );
  }
}

function parseRows(file: string, text: string, delimiter: string, headerLine: number): CsvRow[] {
  try {
    const records = parse(text, {
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      from_line: headerLine,
    }) as unknown as {
      readonly info: InfoRecord;
      readonly record: readonly string[];
    }[];
    return records.map(({ info, record }) => ({ line: info.lines, cells: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? { line: error['lines'] } : {};
    throw new DataError('malformed-csv', `${error.message}. Check the quotes around this place.`, { file, ...line });
  }
}

/** The one delimiter that splits the first lines into equally many (two or more) cells. Two candidates are a question for the user, not a guess. */
function findDelimiter(file: string, text: string, layout: Omit<CsvLayout, 'path'>): string {
  const first = text.split(/\r\n|\n|\r/, layout.headerLine + LINES_TO_COMPARE).join('\n');
  const fitting = DELIMITERS.filter((delimiter) => {
    if (delimiter === layout.decimal) return false;
    const widths = parseLoosely(first, delimiter, layout.headerLine);
    return widths.length > 0 && (widths[0] ?? 0) > 1 && widths.every((width) => width === widths[0]);
  });
  if (fitting.length > 1) {
    const shown = fitting.map((delimiter) => JSON.stringify(delimiter)).join(' and ');
    throw new DataError('malformed-csv', `${shown} could both be the delimiter. Set delimiter for this source.`, { file });
  }
  return fitting[0] ?? mostFrequent(first, layout);
}

/** No delimiter fits every line: take the header's, so that the error names the first line that differs. */
function mostFrequent(text: string, layout: Omit<CsvLayout, 'path'>): string {
  const header = text.split('\n')[layout.headerLine - 1] ?? '';
  const counts = DELIMITERS.filter((delimiter) => delimiter !== layout.decimal).map((delimiter) => ({
    delimiter,
    count: header.split(delimiter).length,
  }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).delimiter;
}

function parseLoosely(text: string, delimiter: string, headerLine: number): number[] {
  try {
    const rows: string[][] = parse(text, {
      delimiter,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      from_line: headerLine,
    });
    return rows.map((row) => row.length);
  } catch {
    return [];
  }
}
