import { parseDuration, hours as toHours, PHASES } from '@coferment/consortium';
import { z } from 'zod';
import { nearestName } from './nearest-name.js';

/**
 * The mapping file: how ONE site's own records become the standard batch record. It stays at the site.
 * Every object is strict: a misspelt key is an error that names the nearest known one, never an option that silently does nothing.
 */

export type Phase = (typeof PHASES)[number];

const SCALES = ['bench', 'pilot', 'production'] as const;

const section = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, {
    error: (issue) => {
      const known = Object.keys(shape);
      if (issue.code !== 'unrecognized_keys') return `must be a section with the keys ${known.join(', ')}`;
      return issue.keys
        .map((key) => {
          const nearest = nearestName(key, known);
          return `unknown key '${key}'; ${nearest === undefined ? '' : `did you mean '${nearest}'? `}Known here: ${known.join(', ')}`;
        })
        .join('; ');
    },
  });

const words = <const T extends readonly [string, ...string[]]>(names: T) =>
  z.enum(names, { error: `must be one of ${names.map((name) => JSON.stringify(name)).join(', ')}` });
const text = z.string({ error: 'must be text' }).min(1, 'must not be empty');
const id = (what: string) => text.regex(/^[a-z0-9][a-z0-9-]{0,39}$/, `must be ${what}: lower-case letters, digits and hyphens, at most 40`);

/** '30 s' | '1 min' | '6 h' | '2 d' → hours, above zero. */
const duration = text.transform((written, context) => {
  const ms = parseDuration(written);
  if (ms !== undefined) return toHours(ms);
  context.issues.push({ code: 'custom', input: written, message: "must be a length of time such as '30 s', '1 min' or '2 h'" });
  return z.NEVER;
});

/** Relative to the data folder (globs allowed); a mapping must not reach outside the folder that the site named. */
const dataPath = text.refine(
  (path) => !path.startsWith('/') && !path.includes('\\') && !path.split('/').includes('..') && !/^[A-Za-z]:/.test(path),
  "must be a path relative to the data folder, with / and without '..'",
);

const regularExpression = text.refine((pattern) => {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}, 'must be a valid regular expression');

const valueRange = section({ low: z.number(), high: z.number() }).refine(
  (range) => range.low < range.high,
  'low must be smaller than high',
);

const csvFile = {
  type: words(['csv']),
  path: dataPath,
  delimiter: words(['auto', ',', ';', '\t', '|']).default('auto'),
  decimal: words(['.', ',']).default('.'),
  encoding: words(['utf-8', 'gb18030']).default('utf-8'),
  /** Line of the file (1-based) that holds the column names; lines above it are skipped. */
  headerLine: z.int({ error: 'must be a line number, counted from 1' }).min(1).max(1000).default(1),
};

/** Clock formats give instants; a local time needs its zone, because daylight saving repeats an hour. */
const clockFormats = [
  section({ column: text, format: z.literal('iso'), zone: text.optional() }),
  section({ column: text, format: z.literal('local'), zone: text, pattern: text }),
  section({ column: text, format: z.literal('excel-serial'), zone: text.optional() }),
] as const;

const since = words(['batch-start', ...PHASES]).default('batch-start');

const clockTime = z.discriminatedUnion('format', clockFormats, {
  error: 'must be a time column with a format: iso, local or excel-serial',
});

const time = z.discriminatedUnion(
  'format',
  [
    ...clockFormats,
    section({ column: text, format: z.literal('hours'), since }),
    section({ column: text, format: z.literal('minutes'), since }),
  ],
  { error: 'must be a time column with a format: iso, local, excel-serial, hours or minutes' },
);

const column = section({
  column: text,
  unit: text,
  method: words(['inline', 'offline']).optional(),
  /** In the unit as recorded; without it the range of the standard applies. */
  valid: valueRange.optional(),
  /** Cells that mean "no value", besides the empty cell. */
  missing: z.array(text, { error: "must be a list of texts, for example ['NaN', '-']" }).default([]),
});

const source = section({
  name: id('the name of the source'),
  role: words(['online', 'offline']),
  ...csvFile,
  batch: z.union(
    [z.strictObject({ column: text }), z.strictObject({ fromFileName: regularExpression }), z.strictObject({ byTable: z.literal(true) })],
    {
      error: "must be { column: … }, { fromFileName: 'a pattern with (…) around the id' } or { byTable: true }",
    },
  ),
  select: section({ column: text, matches: text }).optional(),
  time,
  columns: z.record(z.string(), column).refine((columns) => Object.keys(columns).length > 0, 'must map at least one column'),
  /** Online only: put the series on a regular grid. Without it the records stay as they are. */
  align: section({ every: duration, method: words(['last', 'mean', 'linear']), holdFor: duration.optional() }).optional(),
  /** Offline only: farthest an online record may be from a sample, and two sources' rows from being one sample. */
  join: section({ tolerance: duration }).optional(),
  /** When to flag a hole in the records or a sensor that no longer moves. */
  flags: section({ gapAfter: duration.optional(), flatAfter: duration.optional() }).optional(),
});

/** Cuts a long historian file into batches: one line per batch with its start and end. */
const batchTable = section({ ...csvFile, batch: text, start: clockTime, end: clockTime });

const threshold = z.strictObject({ variable: text, value: z.number() });
const phaseRule = z.union(
  [z.strictObject({ atHour: z.number().min(0) }), z.strictObject({ whenAbove: threshold }), z.strictObject({ whenBelow: threshold })],
  {
    error: 'must be { atHour: 0 }, { whenAbove: { variable: …, value: … } } or { whenBelow: { variable: …, value: … } }',
  },
);

export const mappingSchema = section({
  schema: z.literal(1, { error: 'must be 1, the only version of the mapping format so far' }),
  site: id('the site id'),
  scale: words(SCALES),
  batchTable: batchTable.optional(),
  phases: z.partialRecord(z.enum(PHASES), phaseRule, { error: `must name phases out of ${PHASES.join(', ')}` }).default({}),
  sources: z.array(source, { error: 'must be a list of sources' }).min(1, 'must list at least one source'),
});

export type Mapping = z.output<typeof mappingSchema>;
export type MappingSource = Mapping['sources'][number];
export type MappingColumn = MappingSource['columns'][string];
export type MappingTime = MappingSource['time'];
export type MappingClock = z.output<typeof clockTime>;
export type PhaseRule = z.output<typeof phaseRule>;
/** The fields that say how to read a CSV file, shared by sources and the batch table. */
export type CsvLayout = Pick<MappingSource, 'path' | 'delimiter' | 'decimal' | 'encoding' | 'headerLine'>;
