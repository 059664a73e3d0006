import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DataError, type DataErrorCode } from './data.error.js';
import { type ImportedSite, importSite } from './site.importer.js';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

const ONLINE = `
  - name: online
    role: online
    type: csv
    path: online.csv
    batch: { column: run }
    time: { column: t, format: hours }
    columns:
      temperature: { column: T, unit: K, missing: ['NaN'] }`;
const OFFLINE = `
  - name: lab
    role: offline
    type: csv
    path: lab.csv
    batch: { column: run }
    time: { column: t, format: hours }
    columns:
      product_concentration: { column: P, unit: g/L }`;
const LAB = 'run,t,P\nB1,1,0.5\n';

interface Site {
  readonly sources?: string;
  readonly rest?: string;
  readonly online?: string | Uint8Array;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

async function run({ sources = ONLINE, rest = '', online, files = {} }: Site): Promise<ImportedSite> {
  const folder = await mkdtemp(join(tmpdir(), 'coferment-data-'));
  folders.push(folder);
  const mappingFile = join(folder, 'mapping.yaml');
  await writeFile(mappingFile, `schema: 1\nsite: site-a\nscale: bench\n${rest}\nsources:${sources}\n`);
  for (const [file, content] of Object.entries({ ...(online === undefined ? {} : { 'online.csv': online }), ...files })) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
  }
  return importSite({ mappingFile, dataDir: folder });
}

async function refusal(site: Site): Promise<DataError> {
  try {
    await run(site);
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  throw new Error('the import was accepted');
}

const clock = (format: string) => ONLINE.replace('format: hours', format);
const local = clock("format: local, zone: Europe/Vienna, pattern: 'yyyy-MM-dd HH:mm'");

describe('records that are refused', () => {
  it.each<[string, Site, DataErrorCode, RegExp]>([
    ['the file is not there', {}, 'missing-file', /online\.csv: cannot be read .*ENOENT/],
    ['no file matches', { sources: ONLINE.replace('online.csv', 'runs/*.csv') }, 'missing-file', /matches 'runs\/\*\.csv'/],
    ['the file is empty', { online: '\n\n' }, 'empty-file', /online\.csv: the file is empty/],
    ['there is only a header', { online: 'run,t,T\n' }, 'empty-file', /no rows below the header/],
    [
      'the header line is past the end',
      { sources: ONLINE.replace('type: csv', 'type: csv\n    headerLine: 9'), online: 'run,t,T\nB1,0,300\n' },
      'empty-file',
      /ends before line 9/,
    ],
    ['a column is missing', { online: 'run,t,Tmp\nB1,0,300\n' }, 'missing-column', /column 'T': .*'run', 't', 'Tmp'/],
    [
      'a column is spelt otherwise',
      { sources: ONLINE.replace('column: run', 'column: Batch_ID'), online: 'batch id,t,T\nB1,0,300\n' },
      'missing-column',
      /Did you mean 'batch id'/,
    ],
    ['a column is there twice', { online: 'run,t,T,T\nB1,0,300,301\n' }, 'malformed-csv', /two columns of this name/],
    ['a row has too many cells', { online: 'run,t,T\nB1,0,300\nB1,1,300,4\n' }, 'malformed-csv', /line 3: 4 cells, but the header has 3/],
    ['a quote is never closed', { online: 'run,t,T\nB1,0,"300\n' }, 'malformed-csv', /Quote/i],
    ['two delimiters fit', { online: 'run;x,t;T\nB1;x,0;300\n' }, 'malformed-csv', /could both be the delimiter/],
    ['it is not UTF-8', { online: Uint8Array.of(0xc2, 0xc2, 0x0a, 0x31) }, 'wrong-encoding', /set encoding: gb18030/],
    [
      'a number is a word',
      { online: 'run,t,T\nB1,0,300\nB1,1,high\n' },
      'malformed-number',
      /line 3, column 'T': 'high' .*missing: \['high'\]/,
    ],
    ['a number has a decimal comma', { online: 'run;t;T\nB1;0;300,5\n' }, 'malformed-number', /set decimal: ','/],
    ['a number has thousands separators', { online: 'run;t;T\nB1;0;1.300,5\n' }, 'malformed-number', /without thousands separators/],
    ['a number is beyond a double', { online: 'run,t,T\nB1,0,1e999\n' }, 'malformed-number', /1e999/],
    ['a time is empty', { online: 'run,t,T\nB1,,300\n' }, 'malformed-time', /line 2, column 't'/],
    ['time goes backwards', { online: 'run,t,T\nB1,1,300\nB1,0.5,300\n' }, 'time-backwards', /line 3, column 't': .*line 2/],
    ['two rows contradict each other', { online: 'run,t,T\nB1,1,300\nB1,1,301\n' }, 'conflicting-rows', /line 3, column 'T': line 2/],
    ['a batch id is empty', { online: 'run,t,T\n,0,300\n' }, 'missing-batch', /line 2, column 'run'/],
    [
      'the file name holds no id',
      { sources: ONLINE.replace('column: run', "fromFileName: '^run-(\\d+)'"), online: 't,T\n0,300\n' },
      'missing-batch',
      /finds no batch id/,
    ],
    [
      'nothing is selected',
      { sources: `${ONLINE}\n    select: { column: run, matches: 'C*' }`, online: 'run,t,T\nB1,0,300\n' },
      'no-batches',
      /no row matches 'C\*'. The column holds: 'B1'/,
    ],
    [
      'a batch has no samples',
      { sources: ONLINE + OFFLINE, online: 'run,t,T\nB1,0,300\nB2,0,300\n', files: { 'lab.csv': LAB } },
      'batch-without-samples',
      /lab\.csv: batch 'B2' has no samples/,
    ],
    [
      'a batch has no online records',
      { sources: ONLINE + OFFLINE, online: 'run,t,T\nB1,0,300\n', files: { 'lab.csv': `${LAB}B3,1,1\n` } },
      'batch-without-series',
      /batch 'B3' has no online/,
    ],
    [
      'daylight saving repeats an hour',
      { sources: local, online: 'run,t,T\nB1,2026-10-25 01:30,300\nB1,2026-10-25 02:30,301\nB1,2026-10-25 02:30,302\n' },
      'ambiguous-time',
      /line 3, column 't': .*Europe\/Vienna.*line 4 shows that hour again/,
    ],
    [
      'the clock goes back inside the repeated hour',
      { sources: local, online: 'run,t,T\nB1,2026-10-25 02:40,301\nB1,2026-10-25 02:10,302\n' },
      'ambiguous-time',
      /line 2, column 't': .*line 3 shows/,
    ],
    [
      'a local time never happened',
      { sources: local, online: 'run,t,T\nB1,2026-03-29 02:30,300\n' },
      'nonexistent-time',
      /line 2, column 't'.*never happened/,
    ],
    [
      'a phase that offline times need is never reached',
      {
        sources: ONLINE + OFFLINE.replace('format: hours', 'format: hours, since: induction'),
        rest: 'phases: { induction: { whenBelow: { variable: temperature, value: 20 } } }',
        online: 'run,t,T\nB1,0,310\n',
        files: { 'lab.csv': LAB },
      },
      'phase-not-found',
      /batch 'B1' never reaches/,
    ],
  ])('because %s', async (_, site, code, message) => {
    const error = await refusal(site);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });
});

describe('records that are read', () => {
  it('come in the standard units, by batch, with the missing cells counted', async () => {
    const { batches, report } = await run({ online: 'run,t,T\nB2,0,310.15\nB1,0,300.15\nB1,1,NaN\nB1,2,301.15\n' });
    expect(batches.map(({ id, scale }) => [id, scale])).toEqual([
      ['B1', 'bench'],
      ['B2', 'bench'],
    ]);
    expect([...(batches[0]?.series['temperature']?.timeH ?? [])]).toEqual([0, 2]);
    expect(batches[0]?.series['temperature']?.value[1]).toBeCloseTo(28, 10);
    expect(report.batches[0]?.variables).toMatchObject([{ variable: 'temperature', unit: 'Cel', records: 2, missing: 1 }]);
  });

  it('may be German: semicolons, decimal commas, a byte-order mark, lines above the header', async () => {
    const sources = ONLINE.replace('type: csv', "type: csv\n    decimal: ','\n    headerLine: 3").replace('unit: K', "unit: '°C'");
    const { batches } = await run({ sources, online: '\uFEFFReaktor 7\nCharge;;\nrun;t;T\nB1;0,5;37,25\n' });
    expect(batches[0]?.series['temperature']).toEqual({ timeH: Float64Array.of(0.5), value: Float64Array.of(37.25) });
  });

  it('may be GB18030', async () => {
    const sources = ONLINE.replace('type: csv', 'type: csv\n    encoding: gb18030').replace('column: T,', 'column: 温度,');
    // 温度 in GB18030 is CE C2 B6 C8.
    const online = Buffer.concat([Buffer.from('run,t,'), Buffer.of(0xce, 0xc2, 0xb6, 0xc8), Buffer.from('\nB1,0,300.15\n')]);
    expect((await run({ sources, online })).batches[0]?.series['temperature']?.value[0]).toBeCloseTo(27, 10);
  });

  it('may be one file per batch, with Excel days and the batch named by the file', async () => {
    const sources = clock('format: excel-serial')
      .replace('online.csv', 'runs/*.csv')
      .replace('column: run', "fromFileName: '^(.+)_online'");
    const { batches } = await run({
      sources,
      files: { 'runs/A-7_online.csv': 't,T\n45356.25,300\n45356.5,301\n', 'runs/A-8_online.csv': 't,T\n45357,300\n' },
    });
    expect(batches.map(({ id }) => id)).toEqual(['A-7', 'A-8']);
    expect([...(batches[0]?.series['temperature']?.timeH ?? [])]).toEqual([0, 6]);
  });

  it('may be one historian file that a table cuts into batches, and rows between batches are reported', async () => {
    const rest = `batchTable:
  type: csv
  path: batches.csv
  batch: id
  start: { column: from, format: iso }
  end: { column: to, format: iso }`;
    const { batches, report } = await run({
      rest,
      sources: clock('format: iso').replace('column: run', 'byTable: true'),
      online: 't,T\n2026-01-01T01:00:00Z,300\n2026-01-01T02:30:00Z,301\n2026-01-01T05:00:00Z,302\n2026-01-01T06:00:00Z,303\n',
      files: { 'batches.csv': 'id,from,to\nX,2026-01-01T02:00:00Z,2026-01-01T04:00:00Z\nY,2026-01-01T05:00:00Z,2026-01-01T08:00:00Z\n' },
    });
    expect(batches.map(({ id, series }) => [id, [...(series['temperature']?.timeH ?? [])]])).toEqual([
      ['X', [0.5]],
      ['Y', [0, 1]],
    ]);
    expect(report.flags).toMatchObject([{ kind: 'rows-outside-batches', count: 1, line: 2 }]);
  });

  it('join two laboratories within the tolerance and count time from a phase found online', async () => {
    const later = OFFLINE.replace('format: hours', 'format: minutes, since: induction');
    const second = later
      .replace('name: lab', 'name: hplc')
      .replace('lab.csv', 'hplc.csv')
      .replace('product_concentration: { column: P', 'substrate_concentration: { column: G');
    const join = '\n    join: { tolerance: 3 min }';
    const { batches } = await run({
      sources: ONLINE + later + join + second + join,
      rest: 'phases: { induction: { whenBelow: { variable: temperature, value: 33 } } }',
      online: 'run,t,T\nB1,0,310\nB1,10,304\nB1,11,304\n',
      files: { 'lab.csv': 'run,t,P\nB1,0,0\nB1,60,1.5\n', 'hplc.csv': 'run,t,G\nB1,2,30\nB1,40,20\n' },
    });
    expect(batches[0]?.phaseStarts).toEqual({ induction: 10 });
    expect(batches[0]?.samples.map(({ timeH, values }) => [Number(timeH.toFixed(6)), values])).toEqual([
      [10, { product_concentration: 0, substrate_concentration: 30 }],
      [10.666667, { substrate_concentration: 20 }],
      [11, { product_concentration: 1.5 }],
    ]);
  });

  it('are put on a grid where the mapping asks for it, and holes stay holes', async () => {
    const values = async (align: string) => {
      const { batches } = await run({
        sources: `${ONLINE.replace('unit: K', 'unit: Cel')}\n    align: ${align}`,
        online: 'run,t,T\nB1,0.6,10\nB1,1.5,20\nB1,2,30\nB1,9,40\n',
      });
      const series = batches[0]?.series['temperature'];
      return Array.from(series?.timeH ?? [], (time, index) => [time, series?.value[index]]);
    };
    expect(await values('{ every: 1 h, method: last, holdFor: 2 h }')).toEqual([
      [0, 10],
      [1, 10],
      [2, 30],
      [3, 30],
      [4, 30],
      [9, 40],
    ]);
    expect(await values('{ every: 1 h, method: mean }')).toEqual([
      [0, 10],
      [1, 10],
      [2, 25],
      [9, 40],
    ]);
    expect(await values('{ every: 1 h, method: linear, holdFor: 2 h }')).toEqual([
      [0, 10],
      [1, 10 + (10 * 0.4) / 0.9],
      [2, 30],
      [9, 40],
    ]);
  });
});

describe('the data report', () => {
  it('flags what an engineer should look at and keeps the data', async () => {
    const rows = Array.from({ length: 240 }, (_, index) => `B1,${index / 10},${index === 7 ? 900 : index < 100 ? 300 + (index % 3) : 305}`);
    rows.splice(20, 0, rows[19] ?? '');
    const { batches, report } = await run({
      sources: ONLINE + OFFLINE,
      online: ['run,t,T', ...rows, ',,', 'B1,60,306', ''].join('\n'),
      files: { 'lab.csv': `${LAB}B1,40,400\n` },
    });
    expect(report.flags.map(({ kind, count, line }) => [kind, count, line])).toEqual([
      ['empty-rows', 1, undefined],
      ['duplicate-rows', 1, 22],
      ['out-of-range', 1, 9],
      ['gap', 1, 242],
      ['flat-line', 1, 103],
      ['out-of-range', 1, 3],
      ['sample-without-records', 1, 3],
    ]);
    expect(batches[0]?.series['temperature']?.value).toHaveLength(241);
  });
});
