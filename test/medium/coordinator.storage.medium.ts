import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../coordinator/src/cli/operator.client.js';
import { ObjectStore } from '../../coordinator/src/objects/object.store.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../coordinator/src/testing/scripted-site.fixture.js';
import { Health } from '../../coordinator/src/telemetry/health.js';
import { HealthProbe } from '../../coordinator/src/telemetry/health.probe.js';
import { workPatiently } from './patient.sites.fixture.js';
import { SmallDisk } from './small.disk.fixture.js';

/** The long versions, in CI and before a release. */
const FULL = process.env['RELIABILITY_FULL'] === '1';

async function sitesOf({ operator: { operator } }: TestCoordinator): Promise<string[]> {
  return (await ask(operator.getStatus.bind(operator), {})).sites.map(({ site }) => site);
}

/** The rest of a run after its first confirm sums, with the disk of the objects failing in between. */
describe.skipIf(!SmallDisk.canMount)('a coordinator whose disk fails (needs root, to mount a small one)', () => {
  const coordinator = new TestCoordinator();
  let disk: SmallDisk;
  let sites: ScriptedSite[];
  let run: string;

  beforeAll(async () => {
    await coordinator.start();
    disk = new SmallDisk(join(coordinator.folder, 'objects'), 64);
    await coordinator.running.context.get(ObjectStore).open();
    sites = await coordinator.join('alpha', 'beta', 'gamma');
    run = await coordinator.launch();
    await workPatiently(sites, async () => (await coordinator.run(run)).rounds.length > 0);
  });
  afterAll(async () => {
    for (const site of sites) site.calls.close();
    await coordinator.stop();
    disk.unmount();
    await coordinator.start();
    await coordinator.remove();
  });

  const health = () => coordinator.running.context.get(Health);
  const look = () => coordinator.running.context.get(HealthProbe).look();
  /** Works until nothing moves but what is refused. */
  const workInVain = async () => {
    const met = new Set<string>();
    await workPatiently(sites, () => met.size > 0, 4).catch(() => undefined);
    for (let turn = 0; turn < 6; turn++)
      for (const site of sites) await site.work().catch((error: unknown) => met.add(String((error as { code?: unknown }).code)));
    return met;
  };

  it('refuses uploads to a full disk for the time being, keeps the run, and says what to do', async () => {
    disk.fill(16_384);
    expect(await workInVain()).toEqual(new Set(['storage-full']));
    const status = await coordinator.run(run);
    expect(status.state).toBe('key-ceremony');
    expect(status.whatToDo).toMatch(/no room left in .*ENOSPC.*Make room.*go on by themselves/);
    expect(status.rounds.every(({ state }) => state !== 'abandoned')).toBe(true);
    await look();
    expect(health().report()).toMatchObject({ live: true, ready: true, state: 'degraded' });
  });

  it('can still be read from meanwhile: status, polls and what is published', async () => {
    const [alpha] = sites as [ScriptedSite];
    await expect(alpha.calls.poll([alpha.position], '', 0)).resolves.toBeDefined();
    expect((await alpha.calls.download(alpha.planDigest)).length).toBeGreaterThan(0);
  });

  it('goes on without a restart when there is room, and what had arrived in parts is good', async () => {
    disk.empty();
    await workPatiently(sites, async () => (await coordinator.run(run)).rounds.some(({ kind }) => kind === 'statistics'));
    const confirms = (await coordinator.run(run)).rounds.filter(({ kind }) => kind === 'confirm');
    expect(confirms.map(({ state }) => state)).toEqual(['closed', 'closed', 'closed']);
  });

  it.runIf(FULL)('waits out a disk that has turned read-only in the same way', async () => {
    await look();
    disk.setReadOnly(true);
    expect(await workInVain()).toEqual(new Set(['storage-failed']));
    expect((await coordinator.run(run)).whatToDo).toMatch(/cannot be written.*EROFS.*mounted/);
    disk.setReadOnly(false);
    await workPatiently(sites, async () => (await coordinator.run(run)).rounds.some(({ kind }) => kind === 'update'));
  });

  it('finishes the run and leaves no half file behind', async () => {
    await workPatiently(sites, () => sites.every((site) => site.closed));
    expect(await coordinator.run(run)).toMatchObject({ state: 'completed', roundsClosed: 1 });
    const partial = join(coordinator.folder, 'objects', 'partial');
    expect(readdirSync(partial)).toEqual([]);
  });

  it.runIf(FULL)('is well again, and has written each fault down once', async () => {
    for (let turn = 0; turn < 300 && health().state !== 'ready'; turn++) await sleep(100);
    expect(health().state).toBe('ready');
    const lines = readFileSync(join(coordinator.folder, 'coordinator.log'), 'utf8').split('\n').filter(Boolean);
    const told = lines.map((line) => JSON.parse(line) as { level: number; msg: string; code?: string });
    expect(told.filter(({ code, msg }) => code === 'disk' && msg.startsWith('degraded')).length).toBeLessThanOrEqual(3);
    expect(told.filter(({ level }) => level >= 50)).toEqual([]);
  });
});

describe.skipIf(!SmallDisk.canMount || (process.env['DATABASE_URL'] ?? '') !== '')(
  'a coordinator whose whole folder is on a full disk (needs root, and the embedded database)',
  () => {
    it('refuses clearly, loses nothing that it has confirmed, and goes on from there', async () => {
      const coordinator = new TestCoordinator();
      const disk = new SmallDisk(coordinator.folder, 96);
      await coordinator.start();
      disk.fill();
      const confirmed: string[] = [];
      let refused: unknown;
      for (let number = 0; number < 2000 && refused === undefined; number++) {
        const site = `site-${number}`;
        try {
          await coordinator.invite(site);
          confirmed.push(site);
        } catch (error) {
          refused = error;
        }
      }
      expect(refused).toMatchObject({ code: 'storage-full', message: expect.stringMatching(/no room left/) as string });
      expect((await sitesOf(coordinator)).filter((site) => confirmed.includes(site))).toHaveLength(confirmed.length);
      const health = coordinator.running.context.get(Health);
      expect(health.report()).toMatchObject({ live: true, ready: true, state: 'degraded' });
      disk.empty();
      await coordinator.invite('after');
      await coordinator.stop();
      await coordinator.start();
      expect(await sitesOf(coordinator)).toEqual(expect.arrayContaining([...confirmed, 'after']));
      await coordinator.stop();
      disk.unmount();
    });
  },
);
