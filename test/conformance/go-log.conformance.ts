import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  formatBundle,
  formatTlogProof,
  MerkleTree,
  leafHash,
  openNote,
  parseVkey,
  verifyConsistency,
  verifyInclusion,
} from '@coferment/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFolder } from '../../ledger/src/export/export.folder.js';
import { buildGo, goVerifier } from './go.programs.js';
import { INDEX, source, tamperings } from './bundle.tampering.js';
import { LOG_KEY, LOG_VKEY, ORIGIN, exportSample, sampleLedger } from '../../ledger/src/verify/sample-ledger.fixture.js';

/** The Go project's own log code reads our export, takes our proofs, and we take its proofs and its signature. */
// The published key pair of the note package's own example.
const GO_VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_SKEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';

const work = mkdtempSync(join(tmpdir(), 'go-verifier-'));
const verifier = join(work, 'go-verifier');
const absent = buildGo(goVerifier, verifier);
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

  const flip = (at: number) => (bytes: Uint8Array) => bytes.with(at, bytes[at]! ^ 1);
  const edit = (change: (text: string) => string) => (bytes: Uint8Array) => Buffer.from(change(Buffer.from(bytes).toString()));
  it.each<[string, string, (bytes: Uint8Array) => Uint8Array, string]>([
    ['a checkpoint with one changed bit', 'checkpoint', flip(3), 'invalid signature'],
    [
      'a checkpoint of one entry more',
      'checkpoint',
      edit((text) => text.replace(`\n${tree.size}\n`, `\n${tree.size + 1n}\n`)),
      'invalid signature',
    ],
    [
      'a checkpoint with another root',
      'checkpoint',
      edit((text) => text.replace(/\n.{44}\n/, `\n${'A'.repeat(43)}=\n`)),
      'invalid signature',
    ],
    ['a checkpoint with an extension line', 'checkpoint', edit((text) => text.replace('\n\n', '\nmore\n\n')), 'invalid signature'],
    ['a checkpoint without a signature', 'checkpoint', edit((text) => text.replace(/\n— .*\n/, '\n')), 'malformed note'],
    ['a checkpoint with text behind it', 'checkpoint', edit((text) => `${text}more`), 'malformed note'],
    [
      'a checkpoint under the name of another key',
      'checkpoint',
      edit((text) => text.replace(`— ${ORIGIN}`, '— other.example')),
      'no verifiable signatures',
    ],
    ['an entry with one changed bit', 'tile/entries/000', flip(3), 'the hash tile does not agree with entry 0'],
    ['a bundle that is cut', 'tile/entries/000', (bytes) => bytes.subarray(0, -1), 'the bundle ends inside entry 255'],
    [
      'a bundle with bytes behind it',
      'tile/entries/000',
      (bytes) => Buffer.concat([bytes, Buffer.alloc(3)]),
      'more entries than its path says',
    ],
    [
      'a bundle without its first entry',
      'tile/entries/000',
      (bytes) => bytes.subarray(2 + Buffer.from(bytes).readUInt16BE()),
      'does not agree with entry 0',
    ],
    ['a hash tile with one changed bit', 'tile/0/000', flip(3), 'the hash tile does not agree with entry 0'],
    [
      'a hash tile with two hashes swapped',
      'tile/0/000',
      (bytes) => Buffer.concat([bytes.subarray(32, 64), bytes.subarray(0, 32), bytes.subarray(64)]),
      'does not agree with entry 0',
    ],
  ])('refuses %s', async (_, path, change, message) => {
    const { status, stderr } = await askGo(new Map(files).set(path, change(files.get(path)!)));
    expect(status).toBe(1);
    expect(stderr).toContain(message);
  });
});

interface GoJudged {
  file: string;
  index: number;
  size: number;
  payloadHash: string;
  error: string;
}

describe.skipIf(absent)(`Go's log code on receipts${absent && ` (skipped: ${absent})`}`, () => {
  const { proof, payload } = source.at(INDEX);
  const text = formatTlogProof(proof);
  const bundle = () => formatBundle(proof, payload, LOG_KEY);
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

  function judge(receipts: readonly string[]): GoJudged[] {
    const files = receipts.map((receipt, at) => {
      const file = join(work, `receipt-${at}`);
      writeFileSync(file, receipt);
      return file;
    });
    const { status, stdout, stderr } = spawnSync(verifier, ['receipts', LOG_VKEY, ...files], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    return JSON.parse(stdout) as GoJudged[];
  }

  it('accepts our tlog-proofs and our bundles', () => {
    const payloadHash = createHash('sha256').update(payload).digest('hex');
    for (const { file: _file, ...judged } of judge([text, JSON.stringify(bundle())]))
      expect(judged).toEqual({ index: INDEX, size: Number(source.tree.size), payloadHash, error: '' });
  });

  it('refuses each tampered bundle', () => {
    const changed = tamperings.map(({ change }) => {
      const tampered = bundle();
      change(tampered);
      return JSON.stringify(tampered);
    });
    const accepted = judge(changed).flatMap(({ error }, at) => (error === '' ? [tamperings[at]!.name] : []));
    expect(accepted).toEqual([]);
  });

  it('refuses each tampered tlog-proof', () => {
    const lines = text.split('\n');
    const lastHash = lines.indexOf('') - 1;
    const changed = {
      'another header': text.replace('@v1', '@v2'),
      'the entry of another statement': text.replace(/extra .*/, `extra ${base64(source.ledger.entries[INDEX + 1]!)}`),
      'no entry': text.replace(/extra .*\n/, ''),
      'the next index': text.replace(`index ${INDEX}`, `index ${INDEX + 1}`),
      'a negative index': text.replace(`index ${INDEX}`, `index -${INDEX}`),
      'an index beyond the tree': text.replace(`index ${INDEX}`, `index ${source.tree.size}`),
      'another hash': lines.with(lastHash, base64(new Uint8Array(32))).join('\n'),
      'a hash too few': lines.toSpliced(lastHash, 1).join('\n'),
      'a hash too many': lines.toSpliced(lastHash, 0, lines[lastHash]!).join('\n'),
      'a hash that is cut': lines.with(lastHash, 'AAAA').join('\n'),
      'two hashes swapped': lines.toSpliced(lastHash - 1, 2, lines[lastHash]!, lines[lastHash - 1]!).join('\n'),
      'another size': text.replace(`\n${source.tree.size}\n`, `\n${source.tree.size - 1n}\n`),
      'no checkpoint': text.slice(0, text.indexOf('\n\n')),
      'a checkpoint that only witnesses signed': text.replace(/\n— .*/, ''),
    };
    const accepted = judge(Object.values(changed)).flatMap(({ error }, at) => (error === '' ? [Object.keys(changed)[at]!] : []));
    expect(accepted).toEqual([]);
  });
});
