import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plannedFor, scriptedCommittee, shareInput, K, type ScriptedCommittee } from '../combination/scripted.committee.fixture.js';
import { combine } from '../combination/share.combination.js';
import { ciphertextBlockDigests, ciphertextBlockSpan } from '../encryption/vector.encryption.js';
import { loadCrypto } from '../index.js';
import { parameterSet } from '../ring/parameter.set.js';
import { decryptionShare, shareBlockDigests } from '../shares/decryption.share.js';
import type { BlockRun } from './block.task.js';
import { CryptoPool } from './crypto.pool.js';
import { shareSecrets } from './shared.secrets.js';

const parameters = plannedFor(3, 3);
const { degree } = parameterSet(parameters.set);
/** The last block is cut. */
const BLOCKS = 20;
const coefficients = BLOCKS * degree - 100;

let committee: ScriptedCommittee;
const pool = new CryptoPool({ threads: 2 });
const here = new CryptoPool({ threads: 0 });

beforeAll(async () => {
  await loadCrypto();
  committee = scriptedCommittee(parameters, coefficients);
});
afterAll(async () => {
  await pool.close();
  await here.close();
});

const encryptionOf = (site: number) => ({
  parameters,
  k: K,
  secretKey: committee.secretKeys[site]!,
  coefficients: committee.vectors[site]!,
});

async function runsOf(runs: AsyncIterable<BlockRun>): Promise<BlockRun[]> {
  const all: BlockRun[] = [];
  for await (const run of runs) all.push(run);
  return all;
}

describe('a pool of two threads', () => {
  it('encrypts what opens to the same sum', async () => {
    const uploads = await Promise.all(committee.vectors.map((_, site) => pool.encryptVector(encryptionOf(site))));
    const opened = combine({ parameters, sum: uploads, coefficients, addends: 3, shares: committee.shares });
    expect(opened).toEqual({ ok: true, coefficients: committee.expected });
  });

  it('computes the bytes of one thread, in the order of the blocks, with their digests', async () => {
    for (const holder of [0, 2]) {
      const input = shareInput(committee, holder);
      const runs = await runsOf(pool.shareBlocks(input));
      const expected = decryptionShare(input);
      expect(runs.length).toBeGreaterThan(2);
      expect(await pool.decryptionShare(input)).toEqual(expected);
      expect(runs.flatMap(({ digests }) => digests)).toEqual(shareBlockDigests(expected, coefficients, parameters));
    }
    const runs = await runsOf(pool.encryptedBlocks(encryptionOf(0)));
    const upload = Buffer.concat(runs.map(({ bytes }) => bytes));
    const last = ciphertextBlockSpan(BLOCKS - 1, coefficients, parameters);
    expect(upload.length).toBe(last.offset + last.length);
    expect(runs.flatMap(({ digests }) => digests)).toEqual(ciphertextBlockDigests(upload, coefficients, parameters));
  });

  it('lets timers fire meanwhile', async () => {
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 2);
    await pool.encryptVector(encryptionOf(1));
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
  });

  it('refuses what one thread refuses, with its code and message', async () => {
    const beyond = committee.vectors[0]!.slice();
    beyond[3 * degree + 7] = parameterSet(parameters.set).plainModulus;
    await expect(pool.encryptVector({ ...encryptionOf(0), coefficients: beyond })).rejects.toMatchObject({
      name: 'CryptoError',
      code: 'out-of-range',
      message: expect.stringContaining(`Coefficient ${3 * degree + 7} is`) as string,
    });
    await expect(pool.encryptVector({ ...encryptionOf(0), k: 'short' })).rejects.toMatchObject({ code: 'malformed' });
    await expect(pool.decryptionShare({ ...shareInput(committee, 0), noiseKey: new Uint8Array(31) })).rejects.toMatchObject({
      code: 'malformed',
    });
    expect(await pool.decryptionShare(shareInput(committee, 0))).toEqual(committee.shares.get(0));
  });

  it('is done with an upload whose reader stops half-way', async () => {
    const runs = pool.encryptedBlocks(encryptionOf(0));
    await runs.next();
    await runs.return(undefined);
    expect(await runs.next()).toMatchObject({ done: true });
    expect(await pool.decryptionShare(shareInput(committee, 1))).toEqual(committee.shares.get(1));
  });
});

describe('without threads', () => {
  it('everything is computed on the calling one, with turns of the event loop between blocks', async () => {
    let turns = 0;
    const count = () => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    expect(await here.decryptionShare(shareInput(committee, 2))).toEqual(committee.shares.get(2));
    clearImmediate(timer);
    expect(turns).toBeGreaterThan(BLOCKS / 2);
  });

  it('that are no whole number there is no pool', () => {
    for (const threads of [-1, 1.5, Number.NaN]) expect(() => new CryptoPool({ threads })).toThrow(/whole number of threads/);
  });
});

describe('a closed pool', () => {
  it('computes nothing more than the blocks that never need a thread', async () => {
    const closed = new CryptoPool({ threads: 2 });
    await closed.close();
    await expect(closed.encryptVector(encryptionOf(0))).rejects.toMatchObject({ code: 'worker-lost' });
    const small = { ...shareInput(committee, 0), coefficients: 2 * degree };
    expect(await closed.decryptionShare(small)).toEqual(decryptionShare(small));
  });

  it('gives up what it was computing', async () => {
    const closed = new CryptoPool({ threads: 1 });
    const lost = closed.encryptVector(encryptionOf(0));
    setTimeout(() => void closed.close(), 30);
    await expect(lost).rejects.toMatchObject({ code: 'worker-lost', message: expect.stringContaining('closed') as string });
  });
});

describe('secrets that threads share', () => {
  it('are one copy, and nothing once they are erased', () => {
    const encryption = shareSecrets({ kind: 'encrypt', input: encryptionOf(0) });
    const share = shareSecrets({ kind: 'share', input: shareInput(committee, 0) });
    if (encryption.work.kind !== 'encrypt' || share.work.kind !== 'share') throw new Error('another kind of work');
    const { secretKey, coefficients: words } = encryption.work.input;
    const { keyShareSum, noiseKey } = share.work.input;
    expect(Buffer.from(secretKey).equals(committee.secretKeys[0]!)).toBe(true);
    expect(words[0]).toBe(committee.vectors[0]![0]);
    for (const copy of [secretKey, words, keyShareSum, noiseKey]) expect(copy.buffer).toBeInstanceOf(SharedArrayBuffer);
    encryption.erase();
    share.erase();
    for (const copy of [secretKey, keyShareSum, noiseKey]) expect(copy.every((byte) => byte === 0)).toBe(true);
    expect(words.every((word) => word === 0n)).toBe(true);
    expect(committee.secretKeys[0]!.some((byte) => byte !== 0)).toBe(true);
  });
});
