import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readFolder } from '../export/index.js';
import { appendSignatures, cosign, encodeVkey, parseNote, publicKeyFromSeed, signCheckpoint, verifierKey } from '../note/index.js';
import { parsePolicy, policyOfLogKey } from '../policy/index.js';
import { objectsOf, verifyExport } from '../verify/index.js';
import { LOG_KEY, LOG_SEED, LOG_VKEY, ORIGIN, sampleLedger } from '../verify/sample-ledger.fixture.js';
import { statementsOf } from '../export/index.js';
import { checkSplitView, parseSplitView } from '../witness/index.js';
import { type MirrorOptions, mirrorLedger } from './ledger.mirror.js';
import { rearranged, servedFiles, upTo } from './lying-server.fixture.js';

const ledger = sampleLedger(undefined, 40);
const SIZE = ledger.entries.length;
const policy = policyOfLogKey(LOG_KEY);
let folder: string;
let count = 0;
const fresh = () => join(folder, `copy-${count++}`);

beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'mirror-'))));
afterAll(() => rm(folder, { recursive: true }));

/** A server in memory that counts what is asked for and can fail at some request. */
function serving(files: ReadonlyMap<string, Uint8Array>, failAt = Infinity) {
  const asked: string[] = [];
  const read = async (path: string) => {
    if (asked.push(path) >= failAt) throw new Error('the line broke');
    return files.get(path);
  };
  const save = async (path: string, file: string) => {
    const bytes = await read(path);
    if (!bytes) return undefined;
    await writeFile(file, bytes);
    return { sha256: sha256Hex(bytes), bytes: bytes.length };
  };
  return { read, save, asked };
}

const copy = (files: ReadonlyMap<string, Uint8Array> | ReturnType<typeof serving>, into: string, more: Partial<MirrorOptions> = {}) =>
  mirrorLedger('asked' in files ? files : serving(files), into, {
    policy,
    withObjects: false,
    maxBytes: 1e9,
    progress: () => {},
    now: () => new Date(0),
    ...more,
  });
const grown = (size: number) => servedFiles(rearranged(ledger, upTo(size)));
const filesIn = async (path: string) =>
  (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;

describe('a copy of a served ledger', () => {
  it('is the export, word for word, and verifies', async () => {
    const [into, files] = [fresh(), await grown(SIZE)];
    expect(SIZE).toBeGreaterThan(512);
    expect(await copy(files, into)).toMatchObject({ kind: 'copied', before: 0n, served: BigInt(SIZE), keyChecked: true });
    for (const [path, bytes] of files) expect(new Uint8Array(await readFile(join(into, path))), path).toEqual(new Uint8Array(bytes));
    expect(await filesIn(into)).toBe(files.size);
    expect(await verifyExport(readFolder(into), { policy })).toMatchObject({ verdict: 'holds' });
  });

  it('grows with the ledger, fetches no full tile twice, and leaves no partial tile of an old size', async () => {
    const into = fresh();
    for (const size of [1, 200, 256, 300, 511, SIZE]) await copy(await grown(size), into);
    expect(await filesIn(into)).toBe((await grown(SIZE)).size);
    const again = serving(await grown(SIZE));
    expect(await copy(again, into)).toMatchObject({ kind: 'copied', before: BigInt(SIZE), served: BigInt(SIZE) });
    expect(again.asked.filter((path) => path.startsWith('payloads/') || /^tile\/(?:0|entries)\/\d+$/.test(path))).toEqual([]);
  });

  it('goes on after an interruption at any request, and claims nothing before it is whole', async () => {
    const files = await grown(300);
    const needed = serving(files);
    await copy(needed, fresh());
    for (const failAt of [1, 3, 4, 5, 8, 40, 200, needed.asked.length]) {
      const into = fresh();
      await expect(copy(serving(files, failAt), into)).rejects.toThrow('the line broke');
      expect(existsSync(join(into, 'checkpoint'))).toBe(false);
      const rest = serving(files);
      expect(await copy(rest, into)).toMatchObject({ kind: 'copied' });
      expect(await filesIn(into)).toBe(files.size);
      if (failAt > 200) expect(rest.asked.filter((path) => path.startsWith('payloads/')).length).toBeLessThan(150);
    }
  });

  it('keeps the key that came with its first copy, and says that nobody checked it', async () => {
    const [into, files] = [fresh(), await grown(10)];
    expect(await copy(files, into, { policy: undefined })).toMatchObject({ kind: 'copied', keyChecked: false });
    const other = verifierKey('log', ORIGIN, publicKeyFromSeed(new Uint8Array(32).fill(3)));
    const forged = new Map(files).set('policy.txt', Buffer.from(`log ${encodeVkey(other)}\nquorum none\n`));
    await expect(copy(forged, into, { policy: undefined })).rejects.toThrow('names another key of the log');
    expect(await readFile(join(into, 'policy.txt'), 'utf8')).toContain(LOG_VKEY);
  });

  it('takes only a checkpoint that the policy asks for, and does not lose cosignatures again', async () => {
    const witness = { name: 'witness.example/w', seed: new Uint8Array(32).fill(4) };
    const vkey = encodeVkey(verifierKey('witness', witness.name, publicKeyFromSeed(witness.seed)));
    const strict = parsePolicy(`log ${LOG_VKEY}\nwitness w ${vkey}\nquorum w\n`);
    const lax = parsePolicy(`log ${LOG_VKEY}\nwitness w ${vkey}\nquorum none\n`);
    const [into, bare] = [fresh(), await grown(10)];
    await expect(copy(bare, into, { policy: strict })).rejects.toThrow('quorum "w"');
    const note = Buffer.from(bare.get('checkpoint')!).toString();
    const cosigned = appendSignatures(note, [cosign(parseNote(note).text, 5n, witness)]);
    await copy(new Map(bare).set('checkpoint', Buffer.from(cosigned)), into, { policy: strict });
    await copy(bare, into, { policy: lax });
    // Its own policy names the log's key; a quorum that only the log asks for is no reason to stop.
    const asking = new Map(bare).set('policy.txt', Buffer.from(`log ${LOG_VKEY}\nwitness w ${vkey}\nquorum w\n`));
    expect(await copy(asking, fresh(), { policy: undefined })).toMatchObject({ kind: 'copied', keyChecked: false });
    expect(await readFile(join(into, 'checkpoint'), 'utf8')).toBe(cosigned);
  });

  it('has objects that verified statements name, those that the server gives', async () => {
    const [into, files] = [fresh(), await grown(60)];
    const digests = statementsOf({ checkpoint: '', ...rearranged(ledger, upTo(60)) }).flatMap(objectsOf);
    expect(await copy(files, into, { withObjects: true })).toMatchObject({
      objects: { copied: 0, present: 0, notServed: new Set(digests).size },
    });
    const wrong = new Map(files).set(`objects/${digests[0]}`, Buffer.from('other bytes'));
    await expect(copy(wrong, into, { withObjects: true })).rejects.toThrow(
      /The object that entry \d+ \(plan-published\) names came as other bytes/,
    );
    expect(existsSync(join(into, 'objects'))).toBe(false);
  });

  it('stops at the size that it may have', async () => {
    await expect(copy(await grown(100), fresh(), { maxBytes: 20_000 })).rejects.toThrow('--max-gib');
  });
});

describe('a server that lies', () => {
  let into: string;
  let before: Map<string, Buffer>;
  const OLD = 400;
  const everything = async (path: string) => {
    const names = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    return new Map(
      await Promise.all(
        names.map(async ({ parentPath, name }) => [join(parentPath, name), await readFile(join(parentPath, name))] as const),
      ),
    );
  };
  beforeAll(async () => {
    into = fresh();
    await copy(await grown(OLD), into);
    before = await everything(into);
  });
  afterEach(() => rm(join(into, 'evidence'), { recursive: true, force: true }));
  /** Whatever happened, the copy that was there is there, byte for byte. */
  const unharmed = async () => {
    const now = await everything(into);
    for (const [path, bytes] of before) expect(now.get(path), path).toEqual(bytes);
  };

  const order = upTo(SIZE);
  const forks: [string, number[], number][] = [
    ['drops an entry', order.filter((index) => index !== 137), 137],
    ['swaps two entries', order.map((index) => (index === 70 ? 71 : index === 71 ? 70 : index)), 70],
    ['inserts an act into the past', [...order.slice(0, 300), 450, ...order.slice(300)], 300],
    ['replaces an entry', order.map((index) => (index === 399 ? 20 : index)), 399],
    ['forks and grows less', order.slice(0, 350).map((index) => (index === 260 ? 12 : index)), 260],
    ['forks at the same size', order.slice(0, OLD).map((index) => (index === 0 ? 1 : index)), 0],
  ];
  it.each(forks)('and %s: the copy stays, and the first entry that differs is named', async (_, lie, entry) => {
    const outcome = await copy(await servedFiles(rearranged(ledger, lie)), into);
    expect(outcome).toMatchObject({ kind: 'contradicts', entry: BigInt(entry) });
    if (outcome.kind !== 'contradicts') return;
    expect(outcome.folderSays).toContain(ledger.names[entry]!);
    expect(outcome.serverSays).toContain(ledger.names[lie[entry]!]!);
    const evidence = parseSplitView(await readFile(join(into, outcome.evidence, 'evidence.json'), 'utf8'));
    expect(checkSplitView(evidence, [LOG_KEY]).verdict).toBe('proved');
    expect(await readdir(join(into, outcome.evidence))).toEqual(['evidence.json', 'first.checkpoint', 'second.checkpoint']);
    await unharmed();
  });

  it('and rolls back: both checkpoints are kept', async () => {
    const outcome = await copy(await grown(399), into);
    expect(outcome).toMatchObject({ kind: 'rolled-back', before: 400n, served: 399n, evidence: 'evidence/1970-01-01T00-00-00-000Z' });
    expect(await copy(await grown(0), into)).toMatchObject({ kind: 'rolled-back', served: 0n });
    await unharmed();
  });

  it('and shows two roots of one size without the tiles of the second: both are evidence all the same', async () => {
    const files = new Map(await grown(OLD));
    const note = signCheckpoint({ origin: ORIGIN, size: BigInt(OLD), root: new Uint8Array(32).fill(1) }, LOG_SEED);
    const outcome = await copy(files.set('checkpoint', Buffer.from(note)), into);
    expect(outcome).toMatchObject({ kind: 'contradicts', entry: undefined, serverSays: expect.stringContaining('right edge') });
    await unharmed();
  });

  const changed = (path: string, change: (bytes: Buffer) => Uint8Array | undefined) => async () => {
    const files = new Map(await grown(SIZE));
    const bytes = change(Buffer.from(files.get(path)!));
    if (bytes) files.set(path, bytes);
    else files.delete(path);
    return files;
  };
  const flipped = (bytes: Buffer) => bytes.with(40, bytes[40]! ^ 1);
  const payload = `payloads/${sha256Hex(ledger.payloads[450]!)}.json`;
  const partialLeaves = `tile/0/00${Math.floor(SIZE / 256)}.p/${SIZE % 256}`;
  it.each([
    ['no tile', changed('tile/0/001', () => undefined), 'tile/0/001 is missing'],
    ['an entry', changed('tile/entries/001', (bytes) => bytes.with(bytes.length - 20, 0)), 'Entry 511 (in tile/entries/001) is not'],
    ['a payload', changed(payload, flipped), `Entry 450: what is served as ${payload} was changed`],
    ['no payload', changed(payload, () => undefined), `Entry 450: its content, ${payload}, is not served`],
    [
      'a checkpoint',
      changed('checkpoint', (bytes) => Buffer.from(bytes.toString().replace(`\n${SIZE}\n`, `\n${SIZE + 1}\n`))),
      'does not verify',
    ],
    ['garbage for a checkpoint', changed('checkpoint', () => Buffer.from('<html>')), 'not a signed note'],
  ])('and changes %s is told what is wrong, and nothing is replaced', async (_, files, message) => {
    await expect(copy(await files(), into)).rejects.toThrow(message);
    await unharmed();
  });

  it.each([
    ['a leaf tile', changed('tile/0/001', flipped), 'tile/0/001 (entries 256 to 511) is not the tile'],
    ['the right edge', changed(partialLeaves, flipped), 'do not hash to the root'],
    ['a short tile', changed('tile/0/001', (bytes) => bytes.subarray(1)), 'tile/0/001 has 8191 bytes'],
  ])('and signs a larger ledger with %s that is not its own: both checkpoints are kept', async (_, files, message) => {
    const outcome = await copy(await files(), into);
    expect(outcome).toMatchObject({ kind: 'unproven', reason: expect.stringContaining(message) });
    if (outcome.kind === 'unproven') expect(await readdir(join(into, outcome.evidence))).toHaveLength(3);
    await unharmed();
  });

  it('and is honest again: what an interrupted copy of the lie left is replaced', async () => {
    const honest = fresh();
    await copy(await grown(OLD), honest);
    const lie = await servedFiles(rearranged(ledger, order.with(420, 7).with(500, 8)));
    await expect(copy(serving(lie, serving(lie).asked.length + 130), honest)).rejects.toThrow('the line broke');
    expect(existsSync(join(honest, 'tile/1/000.p/2')) || existsSync(join(honest, 'tile/0/001'))).toBe(true);
    expect(await copy(await grown(SIZE), honest)).toMatchObject({ kind: 'copied' });
    expect(await verifyExport(readFolder(honest), { policy })).toMatchObject({ verdict: 'holds' });
  });

  it('about another log is sent to another folder, and so is whoever has a damaged copy', async () => {
    const seed = new Uint8Array(32).fill(8);
    const key = verifierKey('log', 'ledger.example/other', publicKeyFromSeed(seed));
    const files = new Map(await grown(OLD)).set(
      'checkpoint',
      Buffer.from(signCheckpoint({ origin: 'ledger.example/other', size: 0n, root: new Uint8Array(32) }, seed)),
    );
    await expect(copy(files, into, { policy: { ...policy, logs: [LOG_KEY, key] } })).rejects.toThrow('another folder');
    const damaged = fresh();
    await copy(await grown(OLD), damaged);
    await writeFile(join(damaged, 'tile/1/000.p/1'), 'x');
    await expect(copy(await grown(399), damaged)).rejects.toThrow("folder's own files are damaged");
  });
});
