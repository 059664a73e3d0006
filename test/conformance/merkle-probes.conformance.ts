import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { verifyConsistency, verifyInclusion } from '@coferment/ledger';
import { describe, expect, it } from 'vitest';

/** transparency-dev/merkle, testdata (Apache-2.0): 98 inclusion and 98 consistency probes, of which 184 must be refused. */
const PROBES = join(import.meta.dirname, '../../../shared/data/merkle-proof-vectors');
const absent = existsSync(PROBES) ? '' : ' (skipped: the probes are not beside this repository)';
if (absent) console.warn('Skipped, public Merkle proof probes: they are not beside this repository.');

interface Probe {
  leafIdx: string;
  treeSize: string;
  leafHash: string;
  root: string;
  size1: string;
  size2: string;
  root1: string;
  root2: string;
  proof: string[] | null;
  wantErr: boolean;
}

function probes(kind: 'inclusion' | 'consistency'): [string, Probe][] {
  if (absent) return [];
  const files = readdirSync(join(PROBES, kind), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return files.toSorted().map((file) => {
    const path = join(PROBES, kind, file);
    // Some sizes are 2^64 − 1, which JSON.parse would round.
    const text = readFileSync(path, 'utf8').replace(/"(leafIdx|treeSize|size1|size2)":\s*(\d+)/g, '"$1": "$2"');
    return [relative(PROBES, path), JSON.parse(text) as Probe];
  });
}

const bytes = (base64: string | null) => new Uint8Array(Buffer.from(base64 ?? '', 'base64'));
/**
 * A few consistency probes have the text "don't care 1" where a root belongs. We refuse whatever is not 32 bytes, which would answer before the
 * probe's own question is reached, so its SHA-256 stands in: equal texts stay equal, different ones different.
 */
function rootOf(base64: string): Uint8Array {
  const root = bytes(base64);
  return Buffer.from(root).toString().startsWith("don't care") ? new Uint8Array(createHash('sha256').update(root).digest()) : root;
}
const proofOf = ({ proof }: Probe) => (proof ?? []).map(bytes);

describe.skipIf(absent)(`public inclusion probes${absent}`, () => {
  it.each(probes('inclusion'))('%s', (_, probe) => {
    const { leafIdx, treeSize, leafHash, root, wantErr } = probe;
    const claim = { leafHash: bytes(leafHash), index: BigInt(leafIdx), size: BigInt(treeSize), root: bytes(root), proof: proofOf(probe) };
    expect(verifyInclusion(claim)).toBe(!wantErr);
  });
});

describe.skipIf(absent)(`public consistency probes${absent}`, () => {
  it.each(probes('consistency'))('%s', (_, probe) => {
    const { size1, size2, root1, root2, wantErr } = probe;
    const sizes = { olderSize: BigInt(size1), newerSize: BigInt(size2) };
    expect(verifyConsistency({ ...sizes, olderRoot: rootOf(root1), newerRoot: rootOf(root2), proof: proofOf(probe) })).toBe(!wantErr);
  });
});

describe.skipIf(absent)(`the public probes${absent}`, () => {
  it('are all there', () => {
    const all = [...probes('inclusion'), ...probes('consistency')];
    expect(all).toHaveLength(196);
    expect(all.filter(([, { wantErr }]) => wantErr)).toHaveLength(184);
  });
});
