import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findVariable } from '@coferment/consortium';
import { type BatchWindow, windowAt } from './batch.windows.js';
import { columnIndex, type CsvTable, readCsv } from './csv.reader.js';
import { DataError } from './data.error.js';
import type { DataFlag, FileSummary } from './data.report.js';
import type { CsvLayout, MappingSource } from './mapping.schema.js';
import { mergeEqualTimes, type ReadColumn, readRows, type SourceRow, timeOrder } from './source.rows.js';
import { unitConverter } from './unit.converter.js';

/** All rows of one source, by batch and in order of time. */
export interface LoadedSource {
  readonly source: MappingSource;
  readonly columns: readonly ReadColumn[];
  readonly batches: ReadonlyMap<string, readonly SourceRow[]>;
  readonly files: readonly FileSummary[];
  readonly flags: readonly DataFlag[];
}

/** @throws DataError of every kind that a file or its rows can cause */
export async function loadSource(dataDir: string, source: MappingSource, windows: readonly BatchWindow[]): Promise<LoadedSource> {
  const columns = readColumns(source);
  const batches = new Map<string, SourceRow[]>();
  const files: FileSummary[] = [];
  const flags: DataFlag[] = [];
  const seenInSelect = new Set<string>();
  for (const table of await loadTables(dataDir, source)) {
    const { file } = table;
    const { groups, duplicates, notSelected } = readRows(table, source, columns);
    if (source.select !== undefined) noteNames(table, source.select.column, seenInSelect);
    files.push({ source: source.name, file, rows: table.rows.length, notSelected });
    if (table.emptyRows > 0)
      flags.push({ kind: 'empty-rows', file, count: table.emptyRows, text: `${table.emptyRows} rows without any cell filled` });
    for (const [batch, { count, firstLine }] of duplicates) {
      const text = `${count} rows repeat the row before them exactly; each was used once`;
      flags.push({ kind: 'duplicate-rows', ...(batch === '' ? {} : { batch }), file, line: firstLine, count, text });
    }
    const placed = 'byTable' in source.batch ? placeInWindows(groups.get('') ?? [], windows, file, flags) : groups;
    for (const [batch, rows] of placed) {
      const known = batches.get(batch) ?? [];
      for (const row of rows) known.push(row);
      batches.set(batch, known);
    }
  }
  if (batches.size === 0) throw noBatches(source, seenInSelect);
  for (const [batch, rows] of batches) {
    if (new Set(rows.map((row) => row.file)).size === 1) continue;
    rows.sort((a, b) => timeOrder(a.time) - timeOrder(b.time));
    const merged = mergeEqualTimes(rows, columns);
    batches.set(batch, merged.rows);
    if (merged.duplicates === undefined) continue;
    const { count, file, firstLine } = merged.duplicates;
    flags.push({ kind: 'duplicate-rows', batch, file, line: firstLine, count, text: `${count} rows are in two files; each was used once` });
  }
  return { source, columns, batches, files, flags };
}

/** Every file that a path or glob names, in order of name. @throws DataError 'missing-file' and what readCsv throws */
export async function loadTables(dataDir: string, layout: CsvLayout): Promise<CsvTable[]> {
  const isGlob = /[*?[{]/.test(layout.path);
  const files: string[] = [];
  if (!isGlob) files.push(layout.path);
  else for await (const file of glob(layout.path, { cwd: dataDir })) files.push(file);
  files.sort();
  if (files.length === 0) {
    throw new DataError(
      'missing-file',
      `no file of ${dataDir} matches '${layout.path}'. Check the path in the mapping and the data folder.`,
    );
  }
  const tables: CsvTable[] = [];
  for (const file of files) tables.push(readCsv(file, await readBytes(dataDir, file), layout));
  return tables;
}

async function readBytes(dataDir: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(join(dataDir, file));
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new DataError('missing-file', `cannot be read in ${dataDir} (${reason}). Check the path in the mapping and the data folder.`, {
      file,
    });
  }
}

function readColumns(source: MappingSource): ReadColumn[] {
  return Object.entries(source.columns).map(([variable, { column, unit, missing }]) => {
    const standard = findVariable(variable);
    if (standard === undefined)
      throw new DataError('unknown-variable', `'${variable}' is not a variable of the standard.`, { file: source.path });
    return { variable, column, missing, converter: unitConverter(unit, standard.unit, { file: source.path, column }) };
  });
}

function placeInWindows(
  rows: readonly SourceRow[],
  windows: readonly BatchWindow[],
  file: string,
  flags: DataFlag[],
): Map<string, SourceRow[]> {
  const placed = new Map<string, SourceRow[]>();
  const outside: SourceRow[] = [];
  for (const row of rows) {
    const window = row.time.kind === 'instant' ? windowAt(windows, row.time.ms) : undefined;
    if (window === undefined) {
      outside.push(row);
      continue;
    }
    const known = placed.get(window.batch) ?? [];
    known.push(row);
    placed.set(window.batch, known);
  }
  const first = outside[0];
  if (first !== undefined) {
    const text = `${outside.length} rows lie in no batch of the batch table and were not used`;
    flags.push({ kind: 'rows-outside-batches', file, line: first.line, count: outside.length, text });
  }
  return placed;
}

function noteNames(table: CsvTable, column: string, seen: Set<string>): void {
  const index = columnIndex(table, column);
  for (const row of table.rows) seen.add((row.cells[index] ?? '').trim());
}

function noBatches(source: MappingSource, seen: ReadonlySet<string>): DataError {
  if (source.select === undefined) {
    return new DataError('no-batches', 'no row lies in a batch of the batch table. Check the zones of both time columns.', {
      file: source.path,
    });
  }
  const names = [...seen].slice(0, 10).map((name) => `'${name}'`);
  const more = seen.size > names.length ? `, and ${seen.size - names.length} more` : '';
  const { column, matches } = source.select;
  return new DataError('no-batches', `no row matches '${matches}'. The column holds: ${names.join(', ')}${more}.`, {
    file: source.path,
    column,
  });
}
