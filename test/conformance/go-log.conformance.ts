import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MerkleTree, leafHash, openNote, parseVkey, verifyConsistency, verifyInclusion } from '@coferment/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFolder } from '../../ledger/src/export/export.folder.js';
import { LOG_VKEY, ORIGIN, exportSample, sampleLedger } from '../../ledger/src/verify/sample-ledger.fixture.js';

/** The Go project's own log code reads our export, takes our proofs, and we take its proofs and its signature. */
const SOURCE = join(import.meta.dirname, 'go-verifier');
const DEBIAN_GOPATH = '/usr/share/gocode';
// The published key pair of the note package's own example.
const GO_VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_SKEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';

const work = mkdtempSync(join(tmpdir(), 'go-verifier-'));
const verifier = join(work, 'go-verifier');

/** Builds with Debian's golang-golang-x-mod-dev where it is installed, otherwise with the pinned module. Returns why it could not. */
function build(): string {
  const debian = existsSync(join(DEBIAN_GOPATH, 'src/golang.org/x/mod/sumdb/tlog'));
  const mode = debian ? { GO111MODULE: 'off', GOPATH: DEBIAN_GOPATH, GOFLAGS: '' } : { GO111MODULE: 'on', GOFLAGS: '-buildvcs=false' };
  const { status, stderr, error } = spawnSync('go', ['build', '-o', verifier, '.'], {
    cwd: SOURCE,
    env: { ...process.env, ...mode },
    encoding: 'utf8',
    timeout: 240_000,
  });
  if (error) return 'Go is not installed';
  if (status === 0) return '';
  const missing = /golang\.org\/x\/mod|dial tcp|proxy|lookup/.test(stderr);
  if (!missing) throw new Error(`go build failed:\n${stderr}`);
  return 'golang.org/x/mod is not installed (Debian: golang-golang-x-mod-dev) and could not be fetched';
}

const absent = build();
if (absent) console.warn(`Skipped, cross-check with Go's log code: ${absent}.`);
afterAll(() => rmSync(work, { recursive: true }));

interface GoProof {
  index: number;
  size: number;
  hashes: string[];
}

interface GoAnswer {
  origin: string;
  size: number;
  root: string;
  accepted: { inclusion: number; consistency: number };
  proofs: { inclusion: GoProof[]; consistency: GoProof[] };
  note: string;
}

const decode = (hashes: readonly string[]) => hashes.map((hash) => new Uint8Array(Buffer.from(hash, 'base64')));
const encode = (hashes: readonly Uint8Array[]) => hashes.map((hash) => Buffer.from(hash).toString('base64'));

describe.skipIf(absent)(`golang.org/x/mod/sumdb${absent && ` (skipped: ${absent})`}`, () => {
  const ledger = sampleLedger(undefined, 20);
  const tree = new MerkleTree(ledger.entries.map(leafHash));
  const sizes = [1n, 2n, 3n, 7n, 64n, 100n, 255n, 256n, 257n, tree.size];
  const pairs = sizes.flatMap((size) => sizes.filter((older) => older <= size).map((older) => ({ index: older, size })));
  let files: Map<string, Uint8Array>;
  let runs = 0;

  async function askGo(changed: ReadonlyMap<string, Uint8Array>, damage: (hashes: string[]) => string[] = (hashes) => hashes) {
    const folder = join(work, `run-${runs++}`);
    const write = writeFolder(folder);
    for (const [path, bytes] of changed) await write(path, bytes);
    const proofs = {
      inclusion: pairs.map(({ index, size }) => ({
        index: Number(index - 1n),
        size: Number(size),
        hashes: damage(encode(tree.inclusionProof(index - 1n, size))),
      })),
      consistency: pairs.map(({ index, size }) => ({
        index: Number(index),
        size: Number(size),
        hashes: damage(encode(tree.consistencyProof(index, size))),
      })),
    };
    const proofsFile = join(folder, 'proofs.json');
    writeFileSync(proofsFile, JSON.stringify(proofs));
    const { status, stdout, stderr } = spawnSync(verifier, [folder, LOG_VKEY, proofsFile, GO_SKEY], { encoding: 'utf8' });
    return { status, stderr, answer: status === 0 ? (JSON.parse(stdout) as GoAnswer) : undefined };
  }

  beforeAll(async () => {
    files = await exportSample(ledger);
  });

  it('opens our checkpoint, reads our tiles and bundles, and finds our root', async () => {
    const { answer, stderr } = await askGo(files);
    expect(stderr).toBe('');
    expect(answer).toMatchObject({ origin: ORIGIN, size: Number(tree.size), root: Buffer.from(tree.root()).toString('base64') });
    expect(tree.size).toBeGreaterThan(256n);
  });

  it('accepts our inclusion and consistency proofs, and makes the same ones', async () => {
    const { answer } = await askGo(files);
    expect(answer?.accepted).toEqual({ inclusion: pairs.length, consistency: pairs.length });
    for (const { index, size, hashes } of answer!.proofs.inclusion) {
      const proof = decode(hashes);
      const claim = { leafHash: leafHash(ledger.entries[index]!), index: BigInt(index), size: BigInt(size), root: tree.root(BigInt(size)) };
      expect(verifyInclusion({ ...claim, proof })).toBe(true);
      expect(hashes).toEqual(encode(tree.inclusionProof(BigInt(index), BigInt(size))));
    }
    for (const { index, size, hashes } of answer!.proofs.consistency) {
      const [olderSize, newerSize] = [BigInt(index), BigInt(size)];
      const claim = { olderSize, olderRoot: tree.root(olderSize), newerSize, newerRoot: tree.root(newerSize) };
      expect(verifyConsistency({ ...claim, proof: decode(hashes) })).toBe(true);
      expect(hashes).toEqual(encode(tree.consistencyProof(olderSize, newerSize)));
    }
  });

  it('refuses proofs with one changed bit', async () => {
    const { answer } = await askGo(files, (hashes) => {
      const [first, ...rest] = decode(hashes);
      if (!first) return encode([new Uint8Array(32)]);
      first[5]! ^= 1;
      return encode([first, ...rest]);
    });
    expect(answer?.accepted).toEqual({ inclusion: 0, consistency: 0 });
  });

  it('signs a note that we open', async () => {
    const { answer } = await askGo(files);
    const opened = openNote(answer!.note, [parseVkey(GO_VKEY)]);
    expect(opened.text).toBe(Buffer.from(files.get('checkpoint')!).toString().split('\n\n')[0] + '\n');
  });

  it.each([
    ['a checkpoint', 'checkpoint', 'invalid signature'],
    ['an entry', 'tile/entries/000', 'the hash tile does not agree with entry 0'],
    ['a hash tile', 'tile/0/000', 'the hash tile does not agree with entry 0'],
  ])('refuses %s with one changed bit', async (_, path, message) => {
    const bytes = Uint8Array.from(files.get(path)!);
    bytes[3]! ^= 1;
    const { status, stderr } = await askGo(new Map(files).set(path, bytes));
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});
