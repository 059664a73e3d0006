import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { clockText } from './record.clock.js';
import { type OfflineVariable, RECORDED_UNITS, type RecordedColumn, type RecordStyle } from './record.style.js';
import { ONLINE_VARIABLES } from './sensor.model.js';
import type { VirtualBatch, VirtualSite } from './site.generator.js';
import { SITE_FILES, siteMapping } from './site.mapping.js';

const OFFLINE_VARIABLES: readonly OfflineVariable[] = ['biomass_concentration', 'substrate_concentration', 'product_concentration'];
const SIGNIFICANT_DIGITS = 9;

/**
 * Writes what a real site has on its disks into `dir`: online records and laboratory samples under its own column names, units, decimal marks and
 * clocks, and the mapping file that explains them. The same site gives the same bytes.
 */
export async function writeSiteFiles(site: VirtualSite, dir: string): Promise<void> {
  const { records } = site.profile;
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, SITE_FILES.mapping), stringify(siteMapping(site.profile)));
  await writeFile(join(dir, SITE_FILES.samples), csv(records, sampleRows(site)));
  switch (records.layout) {
    case 'file-per-batch': {
      const folder = join(dir, SITE_FILES.onlineFolder);
      await mkdir(folder, { recursive: true });
      for (const batch of site.batches) {
        await writeFile(join(folder, `${batch.id}.csv`), csv(records, [onlineHeader(records), ...onlineRows(records, batch)]));
      }
      return;
    }
    case 'batch-column': {
      const rows = site.batches.flatMap((batch) => onlineRows(records, batch).map((row) => [batch.id, ...row]));
      await writeFile(join(dir, SITE_FILES.online), csv(records, [[records.batchColumn, ...onlineHeader(records)], ...rows]));
      return;
    }
    case 'historian': {
      const rows = site.batches.flatMap((batch) => onlineRows(records, batch));
      await writeFile(join(dir, SITE_FILES.online), csv(records, [onlineHeader(records), ...rows]));
      await writeFile(join(dir, SITE_FILES.batches), csv(records, batchTable(records, site.batches)));
    }
  }
}

function onlineHeader(records: RecordStyle): string[] {
  return [records.timeColumn, ...ONLINE_VARIABLES.map((name) => records.online[name].column)];
}

function onlineRows(records: RecordStyle, batch: VirtualBatch): string[][] {
  const startMs = Date.parse(batch.startedAt);
  const series = ONLINE_VARIABLES.map((name) => ({ recorded: records.online[name], values: batch.series[name]!.value }));
  return Array.from(batch.series[ONLINE_VARIABLES[0]]!.timeH, (timeH, row) => [
    cell(records, clockText(records.clock, startMs, Math.round(timeH * 60))),
    ...series.map(({ recorded, values }) => recordedNumber(records, recorded, values[row]!)),
  ]);
}

function sampleRows({ profile: { records }, batches }: VirtualSite): string[][] {
  const header = [records.batchColumn, records.timeColumn, ...OFFLINE_VARIABLES.map((name) => records.offline[name].column)];
  const rows = batches.flatMap((batch) =>
    batch.samples.map((sample) => [
      batch.id,
      cell(records, clockText(records.clock, Date.parse(batch.startedAt), Math.round(sample.timeH * 60))),
      ...OFFLINE_VARIABLES.map((name) => {
        const value = sample.values[name];
        return value === undefined ? '' : recordedNumber(records, records.offline[name], value);
      }),
    ]),
  );
  return [header, ...rows];
}

function batchTable(records: RecordStyle, batches: readonly VirtualBatch[]): string[][] {
  const rows = batches.map((batch) => {
    const startMs = Date.parse(batch.startedAt);
    const lastMinute = Math.round((batch.series[ONLINE_VARIABLES[0]]!.timeH.at(-1) ?? 0) * 60);
    const lastSample = Math.round((batch.samples.at(-1)?.timeH ?? 0) * 60);
    return [
      batch.id,
      cell(records, clockText(records.clock, startMs, 0)),
      cell(records, clockText(records.clock, startMs, Math.max(lastMinute, lastSample))),
    ];
  });
  return [[records.batchColumn, 'START', 'END'], ...rows];
}

function recordedNumber(records: RecordStyle, { unit }: RecordedColumn, value: number): string {
  const { factor, offset } = RECORDED_UNITS[unit];
  return cell(records, String(Number((value * factor + offset).toPrecision(SIGNIFICANT_DIGITS))));
}

/** Numbers with the site's decimal mark; a date that contains points must not lose them. */
function cell(records: RecordStyle, text: string): string {
  return records.decimal === ',' && /^-?\d+\.\d+(?:e-?\d+)?$/.test(text) ? text.replace('.', ',') : text;
}

function csv(records: RecordStyle, rows: readonly (readonly string[])[]): string {
  const text = rows.map((row) => row.join(records.delimiter)).join('\r\n');
  return `${records.byteOrderMark ? '\uFEFF' : ''}${text}\r\n`;
}
