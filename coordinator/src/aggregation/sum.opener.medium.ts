import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ciphertextBlockDigests,
  ciphertextBlockSpan,
  combine,
  loadCrypto,
  merkleRoot,
  parameterSet,
  shareBlockDigests,
} from '@coferment/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pick, plannedFor, type ScriptedCommittee, scriptedCommittee } from '../../../crypto/src/combination/scripted.committee.fixture.js';
import { type StoredSum, SumOpener } from './sum.opener.js';

const parameters = plannedFor(5, 3 + 1);
const { degree } = parameterSet(parameters.set);
/** Several reads a thread, and a cut block at the end. */
const coefficients = 11 * degree + 17;
const folder = mkdtempSync(join(tmpdir(), 'coordinator-opening-'));
const opener = new SumOpener();
let committee: ScriptedCommittee;
let stored: StoredSum;

beforeAll(async () => {
  await loadCrypto();
  committee = scriptedCommittee(parameters, coefficients);
});
afterAll(async () => {
  await opener.onModuleDestroy();
  rmSync(folder, { recursive: true });
});

function store(name: string, bytes: Uint8Array, digests: Uint8Array[]) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { what: `the ${name}`, path, merkleRoot: merkleRoot(digests) };
}

/** What these sites and holders sent and signed. */
function storedOf(uploads: readonly Uint8Array[], shares: ReadonlyMap<number, Uint8Array>): StoredSum {
  return {
    parameters,
    coefficients,
    uploads: uploads.map((bytes, index) => store(`upload-${index}`, bytes, ciphertextBlockDigests(bytes, coefficients, parameters))),
    shares: new Map(
      [...shares].map(([position, bytes]) => [
        position,
        store(`share-${position}`, bytes, shareBlockDigests(bytes, coefficients, parameters)),
      ]),
    ),
    target: join(folder, 'sum'),
  };
}

beforeEach(() => {
  stored = storedOf(committee.uploads, committee.shares);
});

const sumOf = () => new BigUint64Array(Uint8Array.from(readFileSync(stored.target)).buffer);

/** One bit in the middle of some block, so that the file keeps its length. */
function flip(bytes: Uint8Array, block: number): Uint8Array {
  const changed = bytes.slice();
  changed[Math.floor((bytes.length * (block + 0.5)) / 12)]! ^= 1;
  return changed;
}

describe('a sum opened from files', () => {
  it('is bit for bit the one opened in memory, however many shares there are', async () => {
    for (const holders of [
      [0, 1, 2, 3, 4],
      [4, 1, 3, 0],
    ]) {
      const shares = pick(committee.shares, holders);
      const expected = combine({ parameters, sum: committee.uploads, coefficients, addends: 5, shares });
      expect(await opener.open({ ...stored, shares: new Map(holders.map((holder) => [holder, stored.shares.get(holder)!])) })).toEqual({
        ok: true,
      });
      expect(expected).toMatchObject({ ok: true, coefficients: committee.expected });
      expect(sumOf()).toEqual(committee.expected);
    }
  });

  it('of fewer sites is another one', async () => {
    const two = committee.uploads.slice(0, 2);
    expect(await opener.open({ ...storedOf(two, committee.shares) })).toMatchObject({ ok: false, reason: 'residual', wrong: [] });
  });

  it('is refused as in memory when a signed share is wrong in one block', async () => {
    const shares = new Map(committee.shares).set(2, flip(committee.shares.get(2)!, 7));
    const inMemory = combine({ parameters, sum: committee.uploads, coefficients, addends: 5, shares });
    expect(inMemory).toEqual({ ok: false, reason: 'parity' });
    expect(await opener.open(storedOf(committee.uploads, shares))).toMatchObject({ ok: false, reason: 'parity', wrong: [] });
  });

  it('names the holder of a wrong share where there are enough, in whichever blocks it lies', async () => {
    const eight = plannedFor(8, 4);
    const many = scriptedCommittee(eight, 6 * degree);
    const files = (shares: ReadonlyMap<number, Uint8Array>): StoredSum => ({
      ...stored,
      parameters: eight,
      coefficients: 6 * degree,
      uploads: many.uploads.map((bytes, index) => store(`upload-${index}`, bytes, ciphertextBlockDigests(bytes, 6 * degree, eight))),
      shares: new Map(
        [...shares].map(([position, bytes]) => [position, store(`share-${position}`, bytes, shareBlockDigests(bytes, 6 * degree, eight))]),
      ),
    });
    const wrong = many.shares.get(5)!.slice();
    wrong[wrong.length - 1]! ^= 0x40;
    expect(await opener.open(files(new Map(many.shares).set(5, wrong)))).toMatchObject({ ok: false, reason: 'parity', wrong: [5] });
    expect(await opener.open(files(many.shares))).toEqual({ ok: true });
  });
});

describe('a file that changed on disk', () => {
  it.each([
    ['upload-1', 0],
    ['upload-4', 11],
    ['share-0', 3],
  ])('%s, in block %i, is named and nothing is made of it', async (name, block) => {
    const path = join(folder, name);
    writeFileSync(path, flip(readFileSync(path), block));
    await expect(opener.open(stored)).rejects.toMatchObject({
      code: 'unknown-object',
      message: expect.stringMatching(new RegExp(`the ${name} \\(.*Merkle root`)) as string,
    });
  });

  it('is named also when its bytes are no ciphertext any more', async () => {
    const path = join(folder, 'upload-2');
    const bytes = readFileSync(path);
    const { offset, length } = ciphertextBlockSpan(5, coefficients, parameters);
    writeFileSync(path, bytes.fill(255, offset, offset + length));
    await expect(opener.open(stored)).rejects.toThrow(/the upload-2 .*Merkle root/);
  });

  it('is named when it is shorter, empty or gone', async () => {
    const path = join(folder, 'upload-3');
    truncateSync(path, readFileSync(path).length - 1);
    await expect(opener.open(stored)).rejects.toThrow(/the upload-3 .*ends after/);
    truncateSync(path, 0);
    await expect(opener.open(stored)).rejects.toThrow(/the upload-3 .*ends after 0 bytes/);
    rmSync(path);
    await expect(opener.open(stored)).rejects.toThrow(/the upload-3 .*cannot be opened \(ENOENT\)/);
  });

  it('can be put back, and the sum opens', async () => {
    const { path } = stored.uploads[0]!;
    const bytes = readFileSync(path);
    rmSync(path);
    await expect(opener.open(stored)).rejects.toMatchObject({ code: 'unknown-object' });
    writeFileSync(path, bytes);
    expect(await opener.open(stored)).toEqual({ ok: true });
    expect(sumOf()).toEqual(committee.expected);
  });
});

it('an upload that its site signed but that no encryption gives spoils the sum and is described', async () => {
  const malformed = new Uint8Array(committee.uploads[0]!.length).fill(255);
  // Its padding is right, so its blocks can be taken for blocks; only the coefficients are beyond q.
  const { offset, length } = ciphertextBlockSpan(11, coefficients, parameters);
  malformed.set(committee.uploads[0]!.subarray(offset, offset + length), offset);
  const opened = await opener.open(storedOf([malformed, ...committee.uploads.slice(1)], committee.shares));
  expect(opened).toMatchObject({ ok: false, reason: 'malformed', wrong: [], detail: expect.stringContaining('upload 0') as string });
});
