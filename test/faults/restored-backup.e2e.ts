import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyFolder } from '../../client-agent/src/testing/folder.copy.fixture.js';
import { TestConsortium } from '../e2e/test.consortium.js';
import { plantedPlan, SMALL_SITE, writePlantedRecords } from '../sovereignty/planted.records.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';

const ROUNDS = 8;
const SITES = ['site-1', 'site-2', 'site-3', 'site-4'];
const LONGEST_MS = 240_000;

const consortium = new TestConsortium();

beforeAll(async () => {
  await consortium.start();
  await consortium.enrol(SITES.map((id) => ({ id, write: (folder) => writePlantedRecords(folder, id, SMALL_SITE) })));
}, 120_000);
afterAll(() => consortium.stop());

/** The first event of this site, from the `from`th of all on, that is like this. */
async function eventOf(site: string, like: Record<string, unknown>, from = 0): Promise<Record<string, unknown>> {
  for (const endMs = Date.now() + LONGEST_MS; Date.now() < endMs; await pause(50)) {
    const found = consortium.events
      .slice(from)
      .find((entry) => entry.site === site && Object.entries(like).every(([key, value]) => entry.event[key] === value));
    if (found !== undefined) return found.event;
  }
  throw new Error(`${site} did not tell ${JSON.stringify(like)}`);
}

it('an agent on a data folder restored from a backup sends nothing more in the key epoch, says so, and the run goes on without it', async () => {
  const run = await consortium.launch(plantedPlan(ROUNDS).replace('minContributors: 4', 'minContributors: 3'));
  await consortium.serve();
  const followed = consortium.follow(run);
  const agent = consortium.agents.find(({ site }) => site === 'site-4')!;
  const backup = join(temporaryFolder('coferment-backup'), 'data');

  await eventOf('site-4', { event: 'applied', kind: 'update', round: 1 });
  await agent.kill();
  copyFolder(agent.folder, backup);
  const backedUp = consortium.events.length;
  await agent.serve();
  await eventOf('site-4', { event: 'sent', name: 'share' }, backedUp);

  await agent.kill();
  rmSync(agent.folder, { recursive: true });
  copyFolder(backup, agent.folder);
  const restored = consortium.events.length;
  await agent.serve();
  const refused = await eventOf('site-4', { event: 'refused', code: 'epoch-dead' }, restored);
  expect(refused['message']).toMatch(/key epoch 1 .* Entry \d+ of the ledger .* restored from a backup.*coferment epochs renew/);
  await eventOf('site-4', { event: 'sent', name: 'epoch-left' }, restored);
  expect((await consortium.coordinator.run(run)).whatToDo).toMatch(/^site-4 restored a data folder from a backup/);

  expect((await followed).state).toBe('completed');
  const sent = consortium.events
    .slice(restored)
    .flatMap(({ site, event }) => (site === 'site-4' && event['event'] === 'sent' ? [event['name']] : []));
  // That it has left, and what it therefore refuses; nothing of its keys or vectors.
  expect(new Set(sent)).toEqual(new Set(['poll', 'epoch-left', 'instruction-refused']));
  // It follows the model all the same: that needs no key and signs nothing.
  await eventOf('site-4', { event: 'applied', kind: 'update', round: ROUNDS }, restored);
  expect(consortium.failures).toEqual([]);
}, 600_000);
