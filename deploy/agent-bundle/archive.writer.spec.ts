import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.ts';
import { filesOf, sha256, sumsText, writeArchive, writeContents } from './archive.writer.ts';

const FILES = { 'lib/b.js': 'b', 'lib/a.js': 'a', 'bin/run': '#!/bin/sh\n', 'package.json': '{}' };

function folderWith(files: Readonly<Record<string, string>>): string {
  const parent = temporaryFolder('coferment-archive');
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(parent, 'app', file)), { recursive: true });
    writeFileSync(join(parent, 'app', file), text);
  }
  return parent;
}

async function archived(parent: string): Promise<string> {
  const archive = join(parent, 'app.tar.gz');
  await writeArchive(parent, 'app', archive, new Set(['bin/run']));
  return archive;
}

describe('an archive', () => {
  it('has the same bytes for the same files, made in another order, at another time, with other modes', async () => {
    const one = folderWith(FILES);
    const two = folderWith(Object.fromEntries(Object.entries(FILES).reverse()));
    for (const file of await filesOf(join(two, 'app'))) {
      utimesSync(join(two, 'app', file), new Date(1e12), new Date(1e12));
      chmodSync(join(two, 'app', file), 0o600);
    }
    expect(await sha256(await archived(two))).toBe(await sha256(await archived(one)));
  });

  it('has others when one byte of one file differs', async () => {
    const other = { ...FILES, 'lib/a.js': 'A' };
    expect(await sha256(await archived(folderWith(other)))).not.toBe(await sha256(await archived(folderWith(FILES))));
  });

  it('holds its entries sorted, owned by nobody in particular, with one time, and only programs can be started', async () => {
    const listed = execFileSync('tar', ['-tzvf', await archived(folderWith(FILES)), '--full-time', '--utc'], { encoding: 'utf8' });
    const rows = listed
      .trim()
      .split('\n')
      .map((row) => row.split(/\s+/));
    expect(rows.map((row) => [row[0], row.at(-1)])).toEqual([
      ['-rwxr-xr-x', 'app/bin/run'],
      ['-rw-r--r--', 'app/lib/a.js'],
      ['-rw-r--r--', 'app/lib/b.js'],
      ['-rw-r--r--', 'app/package.json'],
    ]);
    for (const row of rows) expect(row.slice(3, 5)).toEqual(['2020-01-01', '00:00:00']);
  });
});

describe('the list of contents', () => {
  it('names every file but itself, and sha256sum accepts it', async () => {
    const folder = join(folderWith(FILES), 'app');
    await writeContents(folder);
    const checked = execFileSync('sha256sum', ['-c', 'CONTENTS.sha256'], { cwd: folder, encoding: 'utf8' });
    expect(checked.trim().split('\n')).toEqual(['bin/run: OK', 'lib/a.js: OK', 'lib/b.js: OK', 'package.json: OK']);
    expect(await sumsText(folder, ['package.json'])).toMatch(/^[0-9a-f]{64} {2}package\.json\n$/);
  });
});
