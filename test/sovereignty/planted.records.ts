import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a site's records are to hold. Distinctive values are planted among ordinary ones. */
export interface PlantedRecords {
  readonly batches: number;
  readonly samplesPerBatch: number;
  /** Stands before the number of every batch. */
  readonly batchPrefix: string;
  readonly temperature: number;
  readonly product: number;
}

/** Two sites whose records differ a hundredfold in size and not at all in the length of names. */
export const SMALL_SITE: PlantedRecords = {
  batches: 4,
  samplesPerBatch: 10,
  batchPrefix: 'QUARZ-7F31-',
  temperature: 31.718281,
  product: 9.8696044,
};
export const LARGE_SITE: PlantedRecords = {
  batches: 40,
  samplesPerBatch: 100,
  batchPrefix: 'ZEBRA-2C98-',
  temperature: 33.141592,
  product: 7.3890561,
};

const SAMPLE_HOURS = 8;

/** Writes online and offline CSV files and the mapping file of one site. */
export function writePlantedRecords(folder: string, site: string, records: PlantedRecords): string {
  mkdirSync(folder, { recursive: true });
  const online = ['batch,hour,temperature,ph'];
  const offline = ['batch,hour,product'];
  for (let batch = 0; batch < records.batches; batch++) {
    const id = `${records.batchPrefix}${String(batch + 1).padStart(3, '0')}`;
    for (let minute = 0; minute <= SAMPLE_HOURS * 60; minute += 10) {
      const hour = minute / 60;
      const planted = minute === 140;
      online.push(
        `${id},${hour.toFixed(4)},${planted ? records.temperature : (30 + (batch % 5) + hour / 10).toFixed(3)},${(7 - hour / 50).toFixed(3)}`,
      );
    }
    for (let sample = 0; sample < records.samplesPerBatch; sample++) {
      const hour = 1 + (sample * (SAMPLE_HOURS - 1)) / records.samplesPerBatch;
      offline.push(`${id},${hour.toFixed(4)},${sample === 1 ? records.product : (hour * (1 + (batch % 5) / 10)).toFixed(4)}`);
    }
  }
  writeFileSync(join(folder, 'online.csv'), `${online.join('\n')}\n`);
  writeFileSync(join(folder, 'offline.csv'), `${offline.join('\n')}\n`);
  const mapping = join(folder, 'mapping.yaml');
  writeFileSync(mapping, mappingText(site));
  return mapping;
}

export function mappingText(site: string, change: (text: string) => string = (text) => text): string {
  return change(`schema: 1
site: ${site}
scale: bench
phases:
  batch: { atHour: 0 }
sources:
  - name: online
    role: online
    type: csv
    path: online.csv
    batch: { column: batch }
    time: { column: hour, format: hours }
    columns:
      temperature: { column: temperature, unit: Cel }
      ph: { column: ph, unit: '[pH]' }
  - name: laboratory
    role: offline
    type: csv
    path: offline.csv
    batch: { column: batch }
    time: { column: hour, format: hours }
    columns:
      product_concentration: { column: product, unit: g/L }
`);
}

/** A plan that these records serve: a small network on temperature and pH at each sample. */
export function plantedPlan(rounds: number): string {
  return `schema: 1
plan: planted-records
sample:
  at: samples
  window: 1 h
  of: [temperature, ph]
  summarise: [last, mean]
  ranges: { temperature: [0, 60], ph: [5, 9], time_since_phase: [0, 24], product_concentration: [0, 40] }
  phase: batch
target: { variable: product_concentration }
features: [time_since_phase]
model: { kind: mlp, hidden: [64, 32] }
training: { epochs: 1, learningRate: 0.01 }
rounds: ${rounds}
quorum: { minContributors: 4 }
evaluation: { holdout: { byBatch: 0.25 } }
`;
}

/** Every form in which a value could slip into a message. */
export function canaries({ batchPrefix, temperature, product }: PlantedRecords): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  const add = (name: string, bytes: Buffer): void => void found.set(name, bytes);
  add('batch id', Buffer.from(batchPrefix));
  // In base64 a text begins at one of three offsets; the first and last characters mix with their neighbours.
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.from(' '.repeat(offset) + batchPrefix).toString('base64');
    add(`batch id in base64, offset ${offset}`, Buffer.from(encoded.slice(offset === 0 ? 0 : 4, -4)));
  }
  add('batch id in hexadecimal', Buffer.from(Buffer.from(batchPrefix).toString('hex')));
  for (const [name, value] of Object.entries({ temperature, product })) {
    add(`${name} as decimal text`, Buffer.from(String(value)));
    for (const [form, size, write] of [
      ['float32 little-endian', 4, 'writeFloatLE'],
      ['float32 big-endian', 4, 'writeFloatBE'],
      ['float64 little-endian', 8, 'writeDoubleLE'],
      ['float64 big-endian', 8, 'writeDoubleBE'],
    ] as const) {
      const bytes = Buffer.alloc(size);
      bytes[write](value);
      add(`${name} as ${form}`, bytes);
    }
  }
  return found;
}
