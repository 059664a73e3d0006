import { z } from 'zod';

/**
 * The mapping file: how ONE site's own records become the standard batch record. It stays at the site.
 * Every object is strict: a misspelt key is an error that names the nearest known one, never an option that silently does nothing.
 */

export const PHASES = ['inoculation', 'batch', 'fed-batch', 'induction', 'harvest'] as const;
export type Phase = (typeof PHASES)[number];

export const SCALES = ['bench', 'pilot', 'production'] as const;

const HOURS_PER = { s: 1 / 3600, min: 1 / 60, h: 1, d: 24 } as const;
const DURATION = /^(\d+(?:\.\d+)?) ?(s|min|h|d)$/;

/** '30 s' | '1 min' | '6 h' | '2 d' → hours, above zero. */
const duration = z
  .string()
  .regex(DURATION, "write a duration as a number and s, min, h or d, for example '30 s'")
  .transform((text) => {
    const [, amount = '', unit = 'h'] = DURATION.exec(text) ?? [];
    return Number(amount) * HOURS_PER[unit as keyof typeof HOURS_PER];
  })
  .refine((hours) => hours > 0, 'a duration must be longer than zero');

const text = z.string().min(1);

/** Relative to the data folder (globs allowed); a mapping must not reach outside the folder that the site named. */
const dataPath = text.refine(
  (path) => !path.startsWith('/') && !path.includes('\\') && !path.split('/').includes('..') && !/^[A-Za-z]:/.test(path),
  "write a path relative to the data folder, with / and without '..'",
);

const regularExpression = text.refine((pattern) => {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}, 'this is not a valid regular expression');

const valueRange = z
  .strictObject({ low: z.number(), high: z.number() })
  .refine((range) => range.low < range.high, 'low must be smaller than high');

const csvFile = {
  type: z.literal('csv'),
  path: dataPath,
  delimiter: z.enum(['auto', ',', ';', '\t', '|']).default('auto'),
  decimal: z.enum(['.', ',']).default('.'),
  encoding: z.enum(['utf-8', 'gb18030']).default('utf-8'),
  /** Line of the file (1-based) that holds the column names; lines above it are skipped. */
  headerLine: z.int().min(1).max(1000).default(1),
};

const since = z.enum(['batch-start', ...PHASES]).default('batch-start');
const zone = text;

/** How one time column reads. Clock formats give instants; `hours` and `minutes` count from the batch start or from a phase. */
const timeFormats = [
  z.strictObject({ column: text, format: z.literal('iso'), zone: zone.optional() }),
  z.strictObject({ column: text, format: z.literal('local'), zone, pattern: text }),
  z.strictObject({ column: text, format: z.literal('excel-serial'), zone: zone.optional() }),
] as const;

const time = z.discriminatedUnion('format', [
  ...timeFormats,
  z.strictObject({ column: text, format: z.literal('hours'), since }),
  z.strictObject({ column: text, format: z.literal('minutes'), since }),
]);

const column = z.strictObject({
  column: text,
  unit: text,
  method: z.enum(['inline', 'offline']).optional(),
  /** In the unit as recorded; without it the canonical range of the variable applies. */
  valid: valueRange.optional(),
  /** Cells that mean "no value", besides the empty cell. */
  missing: z.array(z.string()).default([]),
});

const source = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'use lower-case letters, digits and hyphens'),
  role: z.enum(['online', 'offline']),
  ...csvFile,
  batch: z.union([
    z.strictObject({ column: text }),
    z.strictObject({ fromFileName: regularExpression }),
    z.strictObject({ byTable: z.literal(true) }),
  ]),
  select: z.strictObject({ column: text, matches: text }).optional(),
  time,
  columns: z.record(text, column).refine((columns) => Object.keys(columns).length > 0, 'map at least one column'),
  /** Online only: put the series on a regular grid. Without it the records stay as they are. */
  align: z.strictObject({ every: duration, method: z.enum(['last', 'mean', 'linear']), holdFor: duration.optional() }).optional(),
  /** Offline only: farthest an online record may be from a sample, and two sample rows from being one sample. */
  join: z.strictObject({ tolerance: duration }).optional(),
  /** When to flag a hole in the records or a sensor that no longer moves. */
  flags: z.strictObject({ gapAfter: duration.optional(), flatAfter: duration.optional() }).optional(),
});

const clockTime = z.discriminatedUnion('format', timeFormats);

/** Cuts a long historian file into batches: one line per batch with its start and end. */
const batchTable = z.strictObject({
  ...csvFile,
  batch: text,
  start: clockTime,
  end: clockTime,
});

const phaseRule = z.union([
  z.strictObject({ atHour: z.number().min(0) }),
  z.strictObject({ whenAbove: z.strictObject({ variable: text, value: z.number() }) }),
  z.strictObject({ whenBelow: z.strictObject({ variable: text, value: z.number() }) }),
]);

export const mappingSchema = z.strictObject({
  schema: z.literal(1),
  site: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'use the site id: lower-case letters, digits and hyphens'),
  scale: z.enum(SCALES),
  batchTable: batchTable.optional(),
  phases: z.partialRecord(z.enum(PHASES), phaseRule).default({}),
  sources: z.array(source).min(1),
});

export type Mapping = z.output<typeof mappingSchema>;
export type MappingSource = Mapping['sources'][number];
export type MappingColumn = MappingSource['columns'][string];
export type MappingTime = MappingSource['time'];
export type MappingClock = z.output<typeof clockTime>;
export type PhaseRule = z.output<typeof phaseRule>;
/** The fields that say how to read a CSV file, shared by sources and the batch table. */
export type CsvLayout = Pick<MappingSource, 'path' | 'delimiter' | 'decimal' | 'encoding' | 'headerLine'>;
