import { describe, expect, it } from 'vitest';
import { exportSample, sampleLedger } from './sample-ledger.fixture.js';
import { check, problems, verifyFiles } from './verification.fixture.js';

async function brokenBundle(): Promise<{ files: Map<string, Uint8Array>; tile: string }> {
  const files = await exportSample(sampleLedger());
  const path = [...files.keys()].find((name) => name.startsWith('tile/entries'))!;
  const bytes = files.get(path)!;
  files.set(path, bytes.subarray(0, 2 + (bytes[0]! << 8) + bytes[1]!));
  return { files, tile: [...files.keys()].find((name) => name.startsWith('tile/0'))! };
}

describe('a bundle that lacks entries', () => {
  it.each<[string, (tile: Uint8Array) => Uint8Array | undefined]>([
    ['is whole', (tile) => tile],
    ['is missing', () => undefined],
    ['is cut off inside a hash', (tile) => tile.subarray(0, 45)],
    ['is cut off between two hashes', (tile) => tile.subarray(0, 64)],
    ['is empty', () => new Uint8Array()],
  ])('is named, also where its hash tile %s', async (_, change) => {
    const { files, tile } = await brokenBundle();
    const changed = change(files.get(tile)!);
    if (changed === undefined) files.delete(tile);
    else files.set(tile, changed);
    const report = await verifyFiles(files);
    expect(report.verdict).toBe('does-not-hold');
    expect(check(report, 'root')).toMatchObject({
      outcome: 'fails',
      detail: 'the entries cannot be read',
    });
    expect(problems(report, 'root')[0]).toBe('tile/entries: tile/entries/000.p/126 holds 1 entries instead of 126; fetch it again');
  });
});
