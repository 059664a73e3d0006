import { describe, expect, it } from 'vitest';
import { decodeBundle, encodeBundle } from '../tiles/index.js';
import { exportSample, sampleLedger } from './sample-ledger.fixture.js';
import { check, failing, problems, verifyFiles } from './verification.fixture.js';

const BUNDLE = 'tile/entries/000.p/126';

/** The export of an honest log whose entries were changed afterwards, where the hash tiles were not. */
async function withEntries(change: (entries: Uint8Array[]) => void, path = BUNDLE, rounds = 2) {
  const files = await exportSample(sampleLedger(undefined, rounds));
  const entries = decodeBundle(files.get(path)!);
  change(entries);
  files.set(path, encodeBundle(entries));
  return files;
}

describe('entries that were changed after they were logged are named, going by the hash tiles', () => {
  it.each<[string, (entries: Uint8Array[]) => void, RegExp]>([
    ['a changed byte', (entries) => void (entries[63]![200]! ^= 1), /^entry 63( \([a-z-]+\))?: it was changed after it was logged/],
    ['another entry in its place', (entries) => void (entries[63] = entries[20]!), /^entry 63 \([a-z-]+\): it was logged as entry 20/],
    ['a removed entry', (entries) => void entries.splice(63, 1), /^entry 63: it was removed/],
    ['an inserted entry', (entries) => void entries.splice(63, 0, entries[20]!), /^entry 63: it was inserted/],
    ['a doubled entry', (entries) => void entries.splice(63, 0, entries[63]!), /^entry 64: it repeats entry 63/],
  ])('%s', async (_, change, expected) => {
    const report = await verifyFiles(await withEntries(change));
    expect(failing(report)).toContain('root');
    const found = problems(report, 'root');
    expect(found).toHaveLength(2);
    expect(found[1]).toMatch(expected);
  });

  it('two swapped entries, each with the place that it had', async () => {
    const report = await verifyFiles(await withEntries((entries) => entries.splice(30, 2, entries[31]!, entries[30]!)));
    expect(problems(report, 'root').slice(1)).toEqual([
      'entry 30 (dealing-ack): it was logged as entry 31, and stands in another place now',
      'entry 31 (dealing-ack): it was logged as entry 30, and stands in another place now',
    ]);
  });

  it('the first of all that are out of place, where one was removed from an earlier bundle and the later ones moved up', async () => {
    const ledger = sampleLedger(undefined, 20);
    const size = ledger.entries.length;
    const last = `tile/entries/001.p/${size - 256}`;
    const files = await exportSample(ledger);
    const shifted = ledger.entries.toSpliced(100, 1);
    files.set('tile/entries/000', encodeBundle(shifted.slice(0, 256)));
    files.set(last, encodeBundle(shifted.slice(256)));
    const found = problems(await verifyFiles(files), 'root');
    expect(found).toHaveLength(2);
    expect(found[0]).toContain(`${last} holds ${size - 257} entries instead of ${size - 256}`);
    expect(found[1]).toMatch(/^entry 100 \([a-z-]+\): it was removed/);
  });

  it('nothing after a bundle that cannot be read is checked, and the report says so', async () => {
    const report = await verifyFiles(await withEntries((entries) => entries.pop()));
    expect(check(report, 'totals')).toMatchObject({ outcome: 'unchecked', detail: 'not reached, because of what failed before' });
    expect(report.verdict).toBe('does-not-hold');
  });
});

describe('what cannot be told from an export alone is not told', () => {
  it('when entries and tiles were both changed, in different places', async () => {
    const files = await withEntries((entries) => void (entries[63]![200]! ^= 1));
    files.set('tile/0/000.p/126', Uint8Array.from(files.get('tile/0/000.p/126')!).fill(0, 0, 32));
    const found = problems(await verifyFiles(files), 'root');
    expect(found).toHaveLength(2);
    expect(found[1]).toContain('the hash tiles do not make the root that was signed either: entries and tiles differ first at entry 0');
  });

  it('when both were rewritten to agree with each other, an earlier copy is asked for', async () => {
    const honest = await exportSample(sampleLedger());
    const rewritten = await exportSample(
      sampleLedger((_, predicate) => ('name' in predicate ? { ...predicate, name: 'Another' } : predicate)),
    );
    const found = problems(await verifyFiles(rewritten.set('checkpoint', honest.get('checkpoint')!)), 'root');
    expect(found[1]).toContain('so both were changed; an earlier copy of this ledger (--earlier FOLDER) tells from which entry on');
  });

  it('when tiles are missing', async () => {
    const files = await withEntries((entries) => void (entries[63]![200]! ^= 1));
    files.delete('tile/0/000.p/126');
    expect(problems(await verifyFiles(files), 'root')[1]).toContain('hash tiles are missing too');
  });

  it('when only a tile was changed, the tile is named and no entry', async () => {
    const files = await exportSample(sampleLedger());
    const tile = Uint8Array.from(files.get('tile/0/000.p/126')!);
    tile[32 * 40]! ^= 1;
    const report = await verifyFiles(files.set('tile/0/000.p/126', tile));
    expect(failing(report)).toEqual(['tiles']);
    expect(problems(report, 'tiles')).toEqual(['tile/0/000.p/126: hash 40 is not the one that entry 40 gives']);
  });
});
