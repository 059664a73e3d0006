import { readFile } from 'node:fs/promises';
import type { SiteBatch } from '@coferment/learning';
import { assembleBatch } from './batch.assembly.js';
import { type BatchWindow, readBatchWindows } from './batch.windows.js';
import { DataError } from './data.error.js';
import type { DataReport } from './data.report.js';
import { parseMapping } from './mapping.parser.js';
import { loadSource, loadTables, type LoadedSource } from './source.loader.js';

export interface ImportedSite {
  /** In order of batch id. */
  readonly batches: readonly SiteBatch[];
  readonly report: DataReport;
}

/**
 * Reads a site's own files by its mapping. Reads only; writes nothing and sends nothing.
 * @param mappingFile path of the mapping file
 * @param dataDir folder that the mapping's paths are relative to
 * @throws DataError naming file, line and column of the first thing that cannot be read with certainty
 */
export async function importSite({ mappingFile, dataDir }: { mappingFile: string; dataDir: string }): Promise<ImportedSite> {
  const mapping = parseMapping(await readMapping(mappingFile), mappingFile);
  const windows: BatchWindow[] = [];
  if (mapping.batchTable !== undefined) {
    const [table, second] = await loadTables(dataDir, mapping.batchTable);
    if (second !== undefined)
      throw new DataError('invalid-mapping', `batchTable.path names more than one file. Name one.`, { file: mappingFile });
    if (table !== undefined) windows.push(...readBatchWindows(table, mapping.batchTable));
  }
  const sources: LoadedSource[] = [];
  for (const source of mapping.sources) sources.push(await loadSource(dataDir, source, windows));

  const ids = [...new Set(sources.flatMap(({ batches }) => [...batches.keys()]))].toSorted();
  const assembled = ids.map((id) =>
    assembleBatch(
      id,
      mapping,
      sources,
      windows.find((window) => window.batch === id),
    ),
  );
  const report: DataReport = {
    schema: 1,
    site: mapping.site,
    scale: mapping.scale,
    files: sources.flatMap(({ files }) => files),
    batches: assembled.map(({ summary }) => summary),
    flags: [...sources.flatMap(({ flags }) => flags), ...assembled.flatMap(({ flags }) => flags)],
  };
  return { batches: assembled.map(({ batch }) => batch), report };
}

async function readMapping(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new DataError('missing-file', `the mapping file cannot be read (${reason}). Check its path.`, { file });
  }
}
