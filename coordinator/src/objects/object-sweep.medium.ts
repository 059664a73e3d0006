import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, downloadObject } from '../cli/operator.client.js';
import { Database } from '../persistence/database.js';
import { TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { ObjectEntity, type ObjectRow } from './object.entity.js';
import { ObjectService } from './object.service.js';
import { ObjectStore } from './object.store.js';
import { ObjectSweep } from './object.sweep.js';
import type { StoredFile } from './orphan.rule.js';

const DAY_S = 86_400;

describe('sweeping the object store', () => {
  const coordinator = new TestCoordinator({ charter: { witnessQuorum: 0 } });
  let sites: ScriptedSite[];
  let run: string;
  let folder: string;
  const context = () => coordinator.running.context;
  const store = () => context().get(ObjectStore);
  const sweep = async () => {
    const names: string[] = [];
    for await (const { name } of context().get(ObjectSweep).swept()) names.push(name);
    return names;
  };
  const rows = () =>
    context()
      .get(Database)
      .transaction((manager) => manager.find(ObjectEntity));
  const age = (path: string, days: number) => utimesSync(path, Date.now() / 1000 - days * DAY_S, Date.now() / 1000 - days * DAY_S);
  const ageAll = (days: number) => {
    for (const part of ['', 'leaves', 'partial'])
      for (const entry of readdirSync(join(folder, part), { withFileTypes: true }))
        if (entry.isFile()) age(join(folder, part, entry.name), days);
  };
  const missing = async () => (await rows()).filter(({ digest, removedMs }) => removedMs === null && !existsSync(join(folder, digest)));
  const list = (part: string) => readdirSync(join(folder, part)).sort();
  /** So many days pass for the run that is over. */
  const pass = (days: number) =>
    context()
      .get(Database)
      .transaction((manager) => manager.query('UPDATE run SET closed_ms = closed_ms - $1, version = version + 1', [days * DAY_S * 1000]));

  beforeAll(async () => {
    await coordinator.start();
    folder = join(coordinator.folder, 'objects');
    sites = await coordinator.join('alpha', 'beta', 'gamma');
    run = await coordinator.launch();
    await workUntil(sites, () => sites.every((site) => site.closed));
  });
  afterAll(async () => {
    for (const site of sites) site.calls.close();
    await coordinator.remove();
  });

  it('removes nothing that a row names, however old, and nothing that is not the store’s', async () => {
    ageAll(400);
    writeFileSync(join(folder, 'notes.txt'), 'of the operator');
    mkdirSync(join(folder, 'of-somebody'));
    age(join(folder, 'notes.txt'), 400);
    const before = list('');
    await sweep();
    expect(list('')).toEqual(before);
    expect(await missing()).toEqual([]);
    expect((await rows()).length).toBeGreaterThan(20);
  });

  it('removes what a kill left behind at every instant of an upload, a day later and not before', async () => {
    const bytes = randomBytes(100);
    const digest = sha256Hex(bytes);
    const received = { size: 100, digest, leaves: randomBytes(32) };
    const arrive = async (name: string) => {
      const file = await store().append('alpha', name);
      await file.appendFile(bytes);
      await file.close();
    };
    // Whole, with its block digests, and the row was never written.
    await arrive(digest);
    await store().finish('alpha', digest, received);
    // Its block digests only; half of it; a draft of a sum; what was written to be renamed.
    await store().keepLeaves('d'.repeat(64), randomBytes(32));
    await arrive('e'.repeat(64));
    writeFileSync(store().draftPath('sum-r9-5'), bytes);
    writeFileSync(store().draftPath(`${'d'.repeat(64)}.leaves`), bytes);
    expect(await sweep()).toEqual([]);
    ageAll(2);
    await sweep();
    expect([existsSync(join(folder, digest)), existsSync(join(folder, 'leaves', digest))]).toEqual([false, false]);
    // A site may still go on with its half.
    expect(list('partial')).toHaveLength(1);
    expect(await store().received('alpha', 'e'.repeat(64))).toBe(100);
    ageAll(8);
    await sweep();
    expect(list('partial')).toEqual([]);
    expect(await missing()).toEqual([]);
  });

  it('keeps what is stored again while it is at work', async () => {
    const bytes = randomBytes(50);
    const digest = await store().put(bytes);
    age(join(folder, digest), 3);
    const found: StoredFile[] = [];
    for await (const file of context().get(ObjectSweep).orphans()) found.push(file);
    expect(found).toMatchObject([{ kind: 'object', name: digest }]);
    await context().get(ObjectService).publish(bytes);
    expect(await store().remove(found[0]!)).toBe(false);
    expect(await missing()).toEqual([]);
    ageAll(3);
    await sweep();
    expect(await missing()).toEqual([]);
  });

  it('begins the age of an upload anew when it is whole, however long it was arriving', async () => {
    const bytes = randomBytes(60);
    const digest = sha256Hex(bytes);
    const file = await store().append('alpha', digest);
    await file.appendFile(bytes);
    await file.close();
    age(
      join(
        folder,
        'partial',
        readdirSync(join(folder, 'partial')).find((name) => name.includes(digest))!,
      ),
      5,
    );
    await store().finish('alpha', digest, { size: 60, digest, leaves: Buffer.alloc(0) });
    await sweep();
    expect(existsSync(join(folder, digest))).toBe(true);
  });

  describe('looking after it by command', () => {
    const checked = () => {
      const { operator } = coordinator.operator;
      return ask(operator.checkObjects.bind(operator), { after: '', full: true });
    };

    it('finds every object as it was stored, in one part or from the middle on', async () => {
      const kept = await rows();
      const whole = await checked();
      expect(whole).toMatchObject({ objects: kept.length, read: kept.length, damaged: [], next: '', place: folder });
      expect(whole.bytes).toBe(kept.reduce((sum, { size }) => sum + size, 0));
      const digests = kept.map(({ digest }) => digest).sort();
      const { operator } = coordinator.operator;
      const rest = await ask(operator.checkObjects.bind(operator), { after: digests[9]!, full: false });
      expect(rest).toMatchObject({ objects: kept.length - 10, damaged: [] });
      await expect(ask(operator.checkObjects.bind(operator), { after: 'x', full: false })).rejects.toMatchObject({ code: 'malformed' });
    });

    it('names what is gone, cut or changed, with whose it is', async () => {
      const [gone, cut, changed] = (await rows()).filter(({ purpose }) => purpose === 'ciphertext') as [ObjectRow, ObjectRow, ObjectRow];
      const whole = [gone, cut, changed].map(({ digest }) => readFileSync(join(folder, digest)));
      rmSync(join(folder, gone.digest));
      truncateSync(join(folder, cut.digest), 7);
      writeFileSync(join(folder, changed.digest), Buffer.alloc(changed.size));
      const { damaged } = await checked();
      expect(new Map(damaged.map(({ digest, reason }) => [digest, reason]))).toEqual(
        new Map([
          [gone.digest, 'it is gone'],
          [cut.digest, `it has 7 bytes instead of ${cut.size}`],
          [changed.digest, `its bytes have the digest ${sha256Hex(Buffer.alloc(changed.size))}`],
        ]),
      );
      expect(damaged.find(({ digest }) => digest === gone.digest)).toMatchObject({ site: gone.site, run, purpose: 'ciphertext' });
      for (const [index, { digest }] of [gone, cut, changed].entries()) writeFileSync(join(folder, digest), whole[index]!);
      expect((await checked()).damaged).toEqual([]);
    });

    it('says what a sweep would remove, and removes just that', async () => {
      const { operator } = coordinator.operator;
      const sweepOf = (dryRun: boolean) => ask(operator.sweepObjects.bind(operator), { dryRun });
      const digest = await store().put(randomBytes(40));
      age(join(folder, digest), 2);
      const found = { files: 1, bytes: 40, names: [digest] };
      expect([await sweepOf(true), await sweepOf(true), await sweepOf(false)]).toEqual([found, found, found]);
      expect(await sweepOf(false)).toEqual({ files: 0, bytes: 0, names: [] });
    });
  });

  describe('by the retention of a plan (30 d)', () => {
    const isSent = ({ purpose }: ObjectRow) => purpose === 'ciphertext' || purpose === 'decryption-share';

    it('touches no ciphertext and no share before its end', async () => {
      await pass(29);
      ageAll(29);
      await sweep();
      expect((await rows()).filter(({ removedMs }) => removedMs !== null)).toEqual([]);
      expect(await missing()).toEqual([]);
    });

    it('gives up the ciphertexts and shares of the run that ended, and nothing else', async () => {
      // Another run, which is open, with dealings at least.
      const open = await coordinator.launch();
      await workUntil(sites, async () => (await coordinator.run(open)).rounds.length > 0);
      const before = await rows();
      await pass(2);
      ageAll(31);
      await sweep();
      const after = await rows();
      expect(after).toHaveLength(before.length);
      const givenUp = after.filter(({ removedMs }) => removedMs !== null);
      expect(givenUp.map(({ digest }) => digest).sort()).toEqual(
        before
          .filter((row) => row.run === run && isSent(row))
          .map(({ digest }) => digest)
          .sort(),
      );
      expect(givenUp.length).toBeGreaterThan(10);
      for (const { digest } of givenUp) {
        expect(existsSync(join(folder, digest))).toBe(false);
        expect(existsSync(join(folder, 'leaves', digest))).toBe(false);
      }
      expect(await missing()).toEqual([]);
    });

    it('says so to those who ask for one, and to nobody else', async () => {
      const upload = (await rows()).find(({ removedMs, purpose }) => removedMs !== null && purpose === 'ciphertext')!;
      const message = expect.stringMatching(/was removed on \d{4}-\d\d-\d\d: by the plan's retention.*for 30 d after the end of their run/);
      await expect(downloadObject(coordinator.operator, upload.digest)).rejects.toMatchObject({ code: 'unknown-object', message });
      await expect(sites[0]!.calls.blockDigests(upload.digest)).rejects.toMatchObject({ code: 'unknown-object', message });
      const [stranger] = (await coordinator.join('delta')) as [ScriptedSite];
      const refused = expect.stringMatching(/There is no object .* for this caller/);
      await expect(stranger.calls.download(upload.digest)).rejects.toMatchObject({ code: 'unknown-object', message: refused });
      stranger.calls.close();
    });
  });
});
