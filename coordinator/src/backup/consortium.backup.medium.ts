import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OperatorClient, ask, connect } from '../cli/operator.client.js';
import { startCoordinator } from '../coordinator.start.js';
import { changeSecret } from '../identity/sealed.file.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { backUpConsortium, restoreConsortium } from './consortium.backup.js';

const PASSPHRASE = 'a passphrase for tests';
const scratch = mkdtempSync(join(tmpdir(), 'backup-'));
const backup = join(scratch, 'backup');
const coordinator = new TestCoordinator();
let site: ScriptedSite;
let run: string;

const statusOf = ({ operator }: OperatorClient) => ask(operator.getStatus.bind(operator), {});

beforeAll(async () => {
  await coordinator.start();
  [site] = (await coordinator.join('alpha', 'beta', 'gamma')) as [ScriptedSite];
  run = await coordinator.launch();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('a backup of a coordinator', () => {
  it('is refused while it runs: a copy of its database would be no database', async () => {
    await expect(backUpConsortium(coordinator.folder, backup)).rejects.toMatchObject({ code: 'folder-locked' });
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('goes on where it was, on the same address, for the same sites, when nothing ran since', async () => {
    const before = await statusOf(coordinator.operator);
    await coordinator.stop();
    const inside = join(coordinator.folder, 'backup');
    await expect(backUpConsortium(coordinator.folder, inside)).rejects.toMatchObject({ code: 'file-exists' });
    expect(existsSync(inside)).toBe(false);
    // Objects on another disk, by a link.
    const disk = join(scratch, 'disk');
    renameSync(join(coordinator.folder, 'objects'), disk);
    symlinkSync(disk, join(coordinator.folder, 'objects'));
    const made = await backUpConsortium(coordinator.folder, backup);
    expect(lstatSync(join(backup, 'objects')).isDirectory()).toBe(true);
    expect(readdirSync(join(backup, 'objects')).length).toBeGreaterThan(0);
    expect(made).toMatchObject({ consortium: 'scripted', database: coordinator.database === undefined ? 'embedded' : 'server' });
    if (process.platform !== 'win32') expect(statSync(join(backup, 'secrets.sealed')).mode & 0o777).toBe(0o600);
    expect(existsSync(join(backup, 'lock.sqlite'))).toBe(false);
    const folder = join(scratch, 'restored');
    await restoreConsortium(backup, folder, join(coordinator.folder, 'checkpoint'));
    const url = coordinator.database?.url;
    const running = await startCoordinator({ folder, passphrase: PASSPHRASE, ...(url === undefined ? {} : { databaseUrl: url }) });
    const operator = await connect(folder, PASSPHRASE);
    try {
      expect(running.address).toBe(coordinator.running.address);
      expect(await statusOf(operator)).toEqual(before);
      await expect(site.work()).resolves.toEqual(['approvePlan']);
      expect((await ask(operator.operator.getRun.bind(operator.operator), { run })).run?.run).toBe(run);
    } finally {
      operator.close();
      await running.stop();
    }
  });

  it.skipIf(process.env['DATABASE_URL'])('that is older than the newest checkpoint does not start', async () => {
    await coordinator.start();
    await coordinator.join('delta');
    const newest = join(scratch, 'newest-checkpoint');
    copyFileSync(join(coordinator.folder, 'checkpoint'), newest);
    await coordinator.stop();
    const folder = join(scratch, 'older');
    await restoreConsortium(backup, folder, newest);
    await expect(startCoordinator({ folder, passphrase: PASSPHRASE })).rejects.toMatchObject({ code: 'log-forked' });
  });

  it('is not restored over a folder, without its checkpoint, or when a byte of it was changed', async () => {
    await expect(restoreConsortium(backup, coordinator.folder)).rejects.toMatchObject({ code: 'file-exists' });
    await expect(backUpConsortium(coordinator.folder, backup)).rejects.toMatchObject({ code: 'file-exists' });
    const folder = join(scratch, 'never');
    await expect(restoreConsortium(backup, folder, join(scratch, 'no-checkpoint'))).rejects.toMatchObject({ code: 'backup-damaged' });
    appendFileSync(join(backup, 'secrets.sealed'), ' ');
    await expect(restoreConsortium(backup, folder)).rejects.toMatchObject({
      code: 'backup-damaged',
      message: expect.stringMatching(/secrets.sealed was altered/),
    });
    expect(existsSync(folder)).toBe(false);
  });
});

describe('a coordinator with another passphrase', () => {
  it('starts with that one only', async () => {
    changeSecret(coordinator.folder, PASSPHRASE, 'another passphrase');
    const options = {
      folder: coordinator.folder,
      ...(coordinator.database === undefined ? {} : { databaseUrl: coordinator.database.url }),
    };
    await expect(startCoordinator({ ...options, passphrase: PASSPHRASE })).rejects.toMatchObject({ code: 'wrong-passphrase' });
    const running = await startCoordinator({ ...options, passphrase: 'another passphrase' });
    await running.stop();
    await coordinator.database?.drop();
    rmSync(coordinator.folder, { recursive: true, force: true });
  });
});
