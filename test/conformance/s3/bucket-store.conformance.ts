import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BucketStore } from '../../../coordinator/src/objects/bucket.store.js';
import type { StoredFile } from '../../../coordinator/src/objects/orphan.rule.js';
import { S3Bucket } from '../../../coordinator/src/objects/s3.bucket.js';
import { storeOf } from '../../../coordinator/src/objects/store.choice.js';
import { Health } from '../../../coordinator/src/telemetry/health.js';
import { HealthProbe } from '../../../coordinator/src/telemetry/health.probe.js';
import { TestCoordinator } from '../../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../../coordinator/src/testing/scripted-site.fixture.js';
import { workPatiently } from '../../medium/patient.sites.fixture.js';
import { ACCESS, BUCKET, REGION, S3Server, serverProgram } from './s3.server.js';

const { program, absent } = serverProgram();
if (absent && process.env['REQUIRE_S3'] === '1') throw new Error(`REQUIRE_S3=1, and there is no S3 server: ${absent}.`);
if (absent) console.warn(`Skipped, objects in a real S3 server: ${absent}.`);

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const OBJECT = /^[0-9a-f]{64}$/;

function useCredentials(id = ACCESS.id, secret = ACCESS.secret): void {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret });
}

describe.skipIf(absent)(`objects in a real S3 server${absent && ` (skipped: ${absent})`}`, () => {
  const server = absent ? undefined : new S3Server(program);
  const s3 = () => server!;
  const folders: string[] = [];
  const folder = () => {
    folders.push(mkdtempSync(join(tmpdir(), 'coordinator-')));
    return folders.at(-1)!;
  };
  const settings = (prefix: string, more: { bucket?: string; endpoint?: string; region?: string } = {}) => ({
    folder: folder(),
    listen: '127.0.0.1:0',
    objects: `s3://${more.bucket ?? BUCKET}/${prefix}`,
    bucketAccess: { endpoint: more.endpoint ?? s3().endpoint, region: more.region ?? REGION, pathStyle: true },
  });
  const opened = async (prefix: string) => {
    const store = await storeOf(settings(prefix));
    await store.open();
    return store;
  };
  const stored = (prefix: string) => readdirSync(s3().fileOf(BUCKET, prefix)).filter((name) => OBJECT.test(name));

  beforeAll(async () => {
    await s3().start();
    await s3().makeBucket();
  });
  beforeEach(() => useCredentials());
  afterAll(async () => {
    await server?.remove();
    for (const path of folders) rmSync(path, { recursive: true, force: true });
  });

  describe('are refused at the start, with what to do', () => {
    const startOf = async (more: Parameters<typeof settings>[1]) => (await storeOf(settings('start', more))).open();

    it.each([
      ['where there is no such bucket', { bucket: 'nowhere' }, /no bucket for s3:\/\/nowhere\/start.*correct --objects/],
      ['where the bucket is of another region', { region: 'eu-north-1' }, /another region.*--s3-region/],
    ])('%s', async (_, more, message) => {
      await expect(startOf(more)).rejects.toMatchObject({ code: 'folder-unusable', message: expect.stringMatching(message) });
    });

    it.each([
      ['a key that nobody has', 'nobody', ACCESS.secret],
      ['a wrong secret', ACCESS.id, 'wrong-wrong'],
    ])('with %s, which is not shown', async (_, id, secret) => {
      useCredentials(id, secret);
      const refused = expect(startOf({})).rejects;
      await refused.toMatchObject({ code: 'folder-unusable', message: expect.stringMatching(/does not know these credentials/) });
      await refused.not.toMatchObject({ message: expect.stringContaining(secret) });
    });

    it('where nobody answers', async () => {
      const startedMs = performance.now();
      const message = expect.stringMatching(/127\.0\.0\.1:9 .*does not answer.*--s3-endpoint/);
      await expect(startOf({ endpoint: 'http://127.0.0.1:9' })).rejects.toMatchObject({ code: 'unreachable', message });
      expect(performance.now() - startedMs).toBeLessThan(10_000);
    });

    it('and leave nothing of their trial behind', async () => {
      await opened('trial');
      expect(readdirSync(s3().fileOf(BUCKET, '')).filter((name) => name === 'trial')).toEqual([]);
    });
  });

  it('are read by another coordinator as they were stored, which knows the store by its name', async () => {
    const [one, other] = [await opened('shared'), await opened('shared')];
    expect(await other.name()).toBe(await one.name());
    expect(await (await opened('another')).name()).not.toBe(await one.name());
    const bytes = randomBytes(300_000);
    const digest = await one.put(bytes);
    expect(Buffer.from(await other.read(digest)).equals(bytes)).toBe(true);
    const chunks: Buffer[] = [];
    for await (const chunk of (await opened('shared')).stream(digest, 1000, 200_000, 65_536)) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(bytes.subarray(1000, 201_000))).toBe(true);
  });

  it('that are still arriving are at one coordinator only: at another one the upload starts again, and both end alike', async () => {
    const [one, other] = [await opened('arriving'), await opened('arriving')];
    const bytes = randomBytes(2000);
    const digest = sha256(bytes);
    const arrive = async (store: typeof one, part: Uint8Array) => {
      const file = await store.append('alpha', digest);
      await file.appendFile(part);
      await file.close();
    };
    await arrive(one, bytes.subarray(0, 1500));
    expect([await one.received('alpha', digest), await other.received('alpha', digest)]).toEqual([1500, 0]);
    await arrive(other, bytes);
    await other.finish('alpha', digest, { size: 2000, digest, leaves: randomBytes(32) });
    expect(await one.has(digest, 2000)).toBe(true);
    await arrive(one, bytes.subarray(1500));
    await one.finish('alpha', digest, { size: 2000, digest, leaves: randomBytes(32) });
    expect(stored('arriving')).toEqual([digest]);
    expect(Buffer.from(await other.read(digest)).equals(bytes)).toBe(true);
  });

  it('that no row names are found and removed by the server’s clock, unless they were written again', async () => {
    const store = await opened('orphans');
    const digest = await store.put(randomBytes(10));
    const files = async () => {
      const found: StoredFile[] = [];
      for await (const file of store.files()) found.push(file);
      return found;
    };
    await store.name();
    writeFileSync(s3().fileOf(BUCKET, 'orphans/of-somebody'), 'else');
    const [found] = await files();
    expect(await files()).toEqual([{ kind: 'object', name: digest, size: 10, writtenMs: expect.any(Number) }]);
    expect(Math.abs(found!.writtenMs - Date.now())).toBeLessThan(60_000);
    expect(await store.remove({ ...found!, writtenMs: found!.writtenMs - 5000 })).toBe(false);
    expect(await store.inspect(digest, 10, true)).toBeUndefined();
    expect(await store.remove(found!)).toBe(true);
    expect(await store.inspect(digest, 10, false)).toBe('it is gone');
    await expect(store.read(digest)).rejects.toMatchObject({ reason: 'it is gone' });
  });

  it('that were changed, cut or taken away in the bucket are named, and never read', async () => {
    const store = await opened('damaged');
    const digest = await store.put(randomBytes(50_000));
    const file = s3().fileOf(BUCKET, `damaged/${digest}`);
    const whole = readFileSync(file);
    const changed = Buffer.from(whole);
    changed[7]! ^= 1;
    const read = async (reason: RegExp) => {
      const place = `s3://${BUCKET}/damaged/${digest}`;
      await expect((await opened('damaged')).read(digest)).rejects.toMatchObject({ digest, place, reason: expect.stringMatching(reason) });
    };
    writeFileSync(file, changed);
    await read(new RegExp(`digest ${sha256(changed)}: it was changed or cut`));
    truncateSync(file, 49_999);
    await read(/its 49999 bytes have the digest .*: it was changed or cut/);
    rmSync(file);
    await read(/it is gone/);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, whole);
    expect(Buffer.from(await (await opened('damaged')).read(digest)).equals(whole)).toBe(true);
  });

  it('whose server is killed in mid-upload are in it whole or not at all, and are stored by the next try', async () => {
    const store = await opened('cut');
    const bytes = randomBytes(48 * 2 ** 20);
    const storing = store.put(bytes);
    await s3().hasRead(8 * 2 ** 20);
    await s3().kill();
    await expect(storing).rejects.toMatchObject({ code: 'storage-failed', kind: 'unreachable' });
    await s3().start();
    expect(await (await opened('cut')).has(sha256(bytes), bytes.length)).toBe(false);
    const digest = await store.put(bytes);
    expect(await (await opened('cut')).has(digest, bytes.length)).toBe(true);
  });

  it('of a copy that was damaged on this machine are fetched again', async () => {
    const store = await opened('copy');
    const bytes = randomBytes(1000);
    const digest = await store.put(bytes);
    writeFileSync(store.pathOf(digest), randomBytes(1000));
    expect(Buffer.from(await store.read(digest)).equals(bytes)).toBe(true);
  });

  it('make room on this machine for those that are used, but for those that are held', async () => {
    const choice = settings('evicted');
    const bucket = new S3Bucket({ bucket: BUCKET, prefix: 'evicted/' }, choice.bucketAccess);
    const store = new BucketStore(choice, bucket, 2500);
    await store.open();
    const [first, second] = [await store.put(randomBytes(1000)), await store.put(randomBytes(1000))];
    await store.held([first], async () => {
      await store.put(randomBytes(1000));
      expect([existsSync(store.pathOf(first)), existsSync(store.pathOf(second))]).toEqual([true, false]);
    });
    expect((await store.read(second)).length).toBe(1000);
    expect(existsSync(store.pathOf(first))).toBe(false);
    expect(stored('evicted')).toHaveLength(3);
  });

  describe('of a whole run', () => {
    let coordinator: TestCoordinator;
    let sites: ScriptedSite[];
    let run: string;
    const sums = async () => (await coordinator.run(run)).rounds;
    const reached = (kind: string) => async () => (await sums()).some((round) => round.kind === kind);
    const look = () => coordinator.running.context.get(HealthProbe).look();
    const checkOf = () =>
      coordinator.running.context
        .get(Health)
        .report()
        .checks.find(({ name }) => name === 'objects');
    /** Works for a while, and gets nowhere. */
    const inVain = async () => {
      const before = JSON.stringify((await sums()).map(({ sum, state }) => [sum, state]));
      const met = new Set<unknown>();
      for (let turn = 0; turn < 2; turn++)
        for (const site of sites) await site.work().catch((error: unknown) => met.add((error as { code?: unknown }).code));
      return { met, moved: before !== JSON.stringify((await sums()).map(({ sum, state }) => [sum, state])) };
    };

    beforeAll(async () => {
      useCredentials();
      const { objects, bucketAccess } = settings('run');
      coordinator = await new TestCoordinator({ objects, bucketAccess }).start();
      sites = await coordinator.join('alpha', 'beta', 'gamma');
      run = await coordinator.launch();
      await workPatiently(sites, reached('confirm'));
    });
    afterAll(async () => {
      for (const site of sites) site.calls.close();
      await coordinator.remove();
    });

    it('wait while the server is killed, lose nothing, and go on when it is back', async () => {
      await s3().kill();
      const { met } = await inVain();
      expect([...met].filter((code) => code !== undefined)).toEqual(['storage-failed']);
      await look();
      expect(checkOf()).toMatchObject({ ok: false, detail: expect.stringMatching(/does not answer.*go on by themselves/) });
      expect((await coordinator.run(run)).state).not.toBe('aborted');
      await s3().start();
      await workPatiently(sites, reached('statistics'));
      await look();
      expect(checkOf()).toMatchObject({ ok: true });
    });

    it('wait while the bucket is gone, and go on when it is back', async () => {
      const bucket = s3().fileOf(BUCKET, '').replace(/\/$/, '');
      renameSync(bucket, `${bucket}-away`);
      await inVain();
      await look();
      expect(checkOf()).toMatchObject({ ok: false, detail: expect.stringMatching(/no bucket for s3:\/\/fermentation\/run/) });
      renameSync(`${bucket}-away`, bucket);
      await workPatiently(sites, reached('update'));
    });

    it('are all there after a restart without the copies of this machine, and the run ends as any other', async () => {
      await coordinator.stop();
      rmSync(join(coordinator.folder, 'object-cache'), { recursive: true });
      await coordinator.start();
      await workPatiently(sites, () => sites.every((site) => site.closed));
      expect((await coordinator.run(run)).state).toBe('completed');
      expect((await sums()).map(({ state }) => state)).toEqual(Array.from({ length: 6 }, () => 'closed'));
      for (const name of stored('run')) expect(sha256(readFileSync(s3().fileOf(BUCKET, `run/${name}`)))).toBe(name);
      expect(existsSync(join(coordinator.folder, 'objects'))).toBe(false);
    });

    it('are not taken for those of another store', async () => {
      await coordinator.stop();
      const { objects, options } = { objects: `s3://${BUCKET}/elsewhere`, options: coordinator.options };
      const usual = options.objects;
      options.objects = objects;
      try {
        await expect(coordinator.start()).rejects.toMatchObject({
          code: 'folder-unusable',
          message: expect.stringMatching(/objects in the store .*; s3:\/\/fermentation\/elsewhere is the store/),
        });
      } finally {
        if (usual !== undefined) options.objects = usual;
        await coordinator.start();
      }
    });
  });
});
