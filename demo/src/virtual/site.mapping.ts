import { clockMapping } from './record.clock.js';
import type { RecordStyle } from './record.style.js';
import type { SiteProfile } from './site.profile.js';

/** Files and folders of a site's records, relative to its data folder. */
export const SITE_FILES = {
  mapping: 'mapping.yaml',
  onlineFolder: 'online',
  online: 'online.csv',
  samples: 'samples.csv',
  batches: 'batches.csv',
} as const;

/** Glucose feeds are at least 2 g per litre and hour; a pump that stands still reads next to nothing. L/h per litre of starting volume. */
const FEED_RUNNING = 0.001;

/** The mapping file of a virtual site, as an object to be written as YAML. */
export function siteMapping({ id, scale, vessel, records }: SiteProfile): object {
  const layout = {
    type: 'csv',
    delimiter: records.delimiter,
    ...(records.decimal === ',' && { decimal: ',' }),
  };
  const clock = clockMapping(records.clock);
  const { induction } = records;
  return {
    schema: 1,
    site: id,
    scale,
    ...(records.layout === 'historian' && {
      batchTable: {
        ...layout,
        path: SITE_FILES.batches,
        batch: records.batchColumn,
        start: { column: 'START', ...clock },
        end: { column: 'END', ...clock },
      },
    }),
    phases: {
      batch: { atHour: 0 },
      'fed-batch': { whenAbove: { variable: 'feed_rate_volumetric', value: vessel.startVolume * FEED_RUNNING } },
      induction:
        'atHour' in induction
          ? { atHour: induction.atHour }
          : { whenBelow: { variable: 'temperature', value: induction.whenBelowTemperature } },
    },
    sources: [
      {
        name: 'online',
        role: 'online',
        ...layout,
        ...onlineFiles(records),
        time: { column: records.timeColumn, ...clock },
        columns: { ...records.online },
      },
      {
        name: 'laboratory',
        role: 'offline',
        ...layout,
        path: SITE_FILES.samples,
        batch: { column: records.batchColumn },
        time: { column: records.timeColumn, ...clock },
        columns: { ...records.offline },
        join: { tolerance: '15 min' },
      },
    ],
  };
}

function onlineFiles(records: RecordStyle): object {
  switch (records.layout) {
    case 'file-per-batch':
      return { path: `${SITE_FILES.onlineFolder}/*.csv`, batch: { fromFileName: '^(.+)\\.csv$' } };
    case 'batch-column':
      return { path: SITE_FILES.online, batch: { column: records.batchColumn } };
    case 'historian':
      return { path: SITE_FILES.online, batch: { byTable: true } };
  }
}
