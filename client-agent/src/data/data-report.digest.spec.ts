import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leaveOut, writeRecords } from '../testing/site.records.fixture.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { dataReportDigest, importSite } from './index.js';

async function digestOf(change: (text: string) => string = (text) => text, rearrange: (folder: string) => void = () => undefined) {
  const records = writeRecords(temporaryFolder('report'), change);
  rearrange(records.dataDir);
  return dataReportDigest((await importSite(records)).report);
}

describe('the digest of a data report', () => {
  it('is the same for the same records, wherever their files lie', async () => {
    const first = await digestOf();
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await digestOf()).toBe(first);
    const moved = await digestOf(undefined, (folder) => {
      mkdirSync(join(folder, 'older'));
      renameSync(join(folder, 'lab.csv'), join(folder, 'older', 'laboratory.csv'));
      const mapping = join(folder, 'mapping.yaml');
      writeFileSync(mapping, readFileSync(mapping, 'utf8').replace('lab.csv', 'older/laboratory.csv'));
    });
    expect(moved).toBe(first);
  });

  it('does not depend on the names of files in flags', async () => {
    const { report } = await importSite(writeRecords(temporaryFolder('report')));
    const flag = { kind: 'gap' as const, text: 'a pause', count: 1, batch: 'B1' };
    const of = (place: object) => dataReportDigest({ ...report, flags: [{ ...flag, ...place }] });
    expect(of({ file: 'a.csv', line: 3 })).toBe(of({ file: 'b.csv', line: 9 }));
    expect(of({})).not.toBe(dataReportDigest({ ...report, flags: [{ ...flag, count: 2 }] }));
  });

  it.each<[string, (text: string) => string]>([
    ['a row fewer', (text) => text.replace(/B2,8,.*\n/, '')],
    ['another largest value', (text) => text.replace('B2,8,9.600', 'B2,8,9.700')],
  ])('is another one with %s', async (_, change) => {
    expect(await digestOf(change)).not.toBe(await digestOf());
  });

  it('is another one with a batch fewer', async () => {
    expect(await digestOf(undefined, (folder) => leaveOut(folder, 'B2'))).not.toBe(await digestOf());
  });
});
