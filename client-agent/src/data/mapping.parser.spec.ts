import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DataError, type DataErrorCode } from './data.error.js';
import { parseMapping } from './mapping.parser.js';

const source = `
  - name: online
    role: online
    type: csv
    path: online.csv
    batch: { column: run }
    time: { column: t, format: hours }
    columns:
      temperature: { column: T, unit: K }`;
const mapping = (sources = source, rest = '') => `schema: 1\nsite: site-a\nscale: bench\n${rest}\nsources:${sources}\n`;

function refusal(text: string): DataError {
  try {
    parseMapping(text, 'site.yaml');
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('the mapping was accepted');
}

describe('a mapping file that is refused', () => {
  it.each<[string, string, DataErrorCode, RegExp]>([
    ['is not YAML', 'schema: [1', 'invalid-mapping', /site\.yaml, line \d+: this is not YAML/],
    ['repeats a key', `${mapping()}site: other\n`, 'invalid-mapping', /unique/],
    ['is empty', '', 'invalid-mapping', /must be a section/],
    [
      'misspells a key of a source',
      mapping(source.replace('role:', 'roles:')),
      'invalid-mapping',
      /unknown key 'roles'; did you mean 'role'/,
    ],
    ['misspells a key at the top', mapping(source, 'phase: {}'), 'invalid-mapping', /did you mean 'phases'/],
    ['misspells a key of a column', mapping(source.replace('unit: K', 'units: K')), 'invalid-mapping', /did you mean 'unit'/],
    [
      'names an unknown variable',
      mapping(source.replace('temperature', 'temprature')),
      'unknown-variable',
      /'temprature' .*Did you mean 'temperature'/,
    ],
    ['names an unknown unit', mapping(source.replace('unit: K', 'unit: kelvins')), 'unknown-unit', /column 'T': 'kelvins' is not a unit/],
    [
      'writes a bare psi',
      mapping(source.replace('temperature: { column: T, unit: K }', 'pressure: { column: p, unit: psi }')),
      'unknown-unit',
      /\[psi\]/,
    ],
    [
      'names a unit of another quantity',
      mapping(source.replace('unit: K', 'unit: g/L')),
      'unit-mismatch',
      /'g\/L' cannot be converted to 'Cel'/,
    ],
    ['writes C for Celsius (coulomb)', mapping(source.replace('unit: K', 'unit: C')), 'unit-mismatch', /'C' cannot be converted/],
    ['climbs out of the data folder', mapping(source.replace('online.csv', '../secret.csv')), 'invalid-mapping', /without '\.\.'/],
    ['names an absolute path', mapping(source.replace('online.csv', '/etc/passwd')), 'invalid-mapping', /relative to the data folder/],
    [
      'has a zone that does not exist',
      mapping(source.replace('format: hours', 'format: iso, zone: Europe/Wien')),
      'invalid-mapping',
      /'Europe\/Wien' is not a time zone/,
    ],
    [
      'has a local time without zone',
      mapping(source.replace('format: hours', 'format: local, pattern: dd.MM.yyyy HH:mm')),
      'invalid-mapping',
      /zone is missing/,
    ],
    [
      'has a pattern without a date',
      mapping(source.replace('format: hours', "format: local, zone: UTC, pattern: 'HH:mm'")),
      'invalid-mapping',
      /must hold year, month and day/,
    ],
    [
      'counts time from a phase without rule',
      mapping(source.replace('format: hours', 'format: hours, since: induction')),
      'invalid-mapping',
      /phases must say when/,
    ],
    [
      'finds a phase in an unmapped variable',
      mapping(source, 'phases: { induction: { whenAbove: { variable: ph, value: 7 } } }'),
      'invalid-mapping',
      /no online source maps 'ph'/,
    ],
    [
      'uses the comma for two things',
      mapping(source.replace('type: csv', "type: csv\n    delimiter: ','\n    decimal: ','")),
      'invalid-mapping',
      /both the delimiter and the decimal/,
    ],
    ['uses a batch table that is not there', mapping(source.replace('column: run', 'byTable: true')), 'invalid-mapping', /no batchTable/],
    ['maps one column twice', mapping(`${source}\n      ph: { column: T, unit: pH }`), 'invalid-mapping', /mapped twice/],
    ['calls two sources alike', mapping(source + source), 'invalid-mapping', /two sources are called 'online'/],
    [
      'puts samples on a grid',
      mapping(source.replace('role: online', 'role: offline\n    align: { every: 1 min, method: last }')),
      'invalid-mapping',
      /never put on a grid/,
    ],
    [
      'has a duration in words',
      mapping(`${source}\n    align: { every: a minute, method: last }`),
      'invalid-mapping',
      /must be a length of time/,
    ],
  ])('because it %s', (_, text, code, message) => {
    const error = refusal(text);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });
});

describe('a mapping file that is accepted', () => {
  it('has its defaults written in and durations in hours', () => {
    const parsed = parseMapping(mapping(`${source}\n    align: { every: 30 s, method: mean }`), 'site.yaml');
    expect(parsed.sources[0]).toMatchObject({
      delimiter: 'auto',
      decimal: '.',
      encoding: 'utf-8',
      headerLine: 1,
      align: { every: 1 / 120 },
    });
    expect(parsed.sources[0]?.time).toEqual({ column: 't', format: 'hours', since: 'batch-start' });
  });

  it('is the one in the reference, with its batch table', () => {
    const reference = readFileSync(new URL('../../../docs/mapping-file.md', import.meta.url), 'utf8');
    const [example = '', table = ''] = Array.from(reference.matchAll(/```yaml\n(.*?)```/gs), (match) => match[1] ?? '');
    expect(parseMapping(example, 'example.yaml').sources.map(({ name }) => name)).toEqual(['historian', 'laboratory']);
    const byTable = example.replace("fromFileName: '^(B\\d+)_'", 'byTable: true');
    expect(parseMapping(`${byTable}\n${table}`, 'example.yaml').batchTable?.path).toBe('batches.csv');
  });
});
