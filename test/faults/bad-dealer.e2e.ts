import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AUDITOR, COORDINATOR, REPOSITORY, runCommand } from '../e2e/command.runner.js';
import { TestConsortium } from '../e2e/test.consortium.js';
import { plantedPlan, SMALL_SITE, writePlantedRecords } from '../sovereignty/planted.records.js';

const SITES = ['site-1', 'site-2', 'site-3', 'site-4'];
const LONGEST_MS = 300_000;
const DEALER = 'site-2';
const HOLDER = 'site-3';

const consortium = new TestConsortium();
let logVkey: string;

beforeAll(async () => {
  ({ logVkey } = await consortium.start());
  await consortium.enrol(SITES.map((id) => ({ id, write: (folder) => writePlantedRecords(folder, id, SMALL_SITE) })));
}, LONGEST_MS);
afterAll(() => consortium.stop());

async function serveFaulty(): Promise<void> {
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `--import ${pathToFileURL(join(REPOSITORY, 'test/faults/bad-dealer.preload.js')).href}`;
  process.env['COFERMENT_TEST_WRONG_SHARE_FOR'] = HOLDER;
  try {
    await consortium.agents.find(({ site }) => site === DEALER)!.serve();
  } finally {
    delete process.env['COFERMENT_TEST_WRONG_SHARE_FOR'];
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  }
}

it(
  'a dealer whose dealing is refused stops the run; its operator leaves it out, people approve, and the run completes without it',
  async () => {
    const run = await consortium.launch(plantedPlan(1).replace('minContributors: 4', 'minContributors: 3'));
    await serveFaulty();
    for (const agent of consortium.agents) if (agent.site !== DEALER) await agent.serve();

    let view = await consortium.coordinator.run(run);
    for (const endMs = Date.now() + LONGEST_MS; view.state !== 'stuck' && Date.now() < endMs; await pause(500))
      view = await consortium.coordinator.run(run);
    expect(view.cause).toMatch(/key holder "site-3" refuses the dealing of "site-2"/);
    expect(view.whatToDo).toMatch(/--leave-out site-2/);

    const operator = ['--data', consortium.folders.coordinator, '--passphrase-file', consortium.passphraseFile('coordinator'), '--json'];
    const renewed = await runCommand(COORDINATOR, ['epochs', 'renew', run, '--leave-out', DEALER, ...operator]);
    expect(renewed).toMatchObject({ code: 0, stderr: '' });
    const { epoch, fingerprint, leftOut } = JSON.parse(renewed.stdout) as { epoch: number; fingerprint: string; leftOut: string[] };
    expect({ epoch, leftOut }).toEqual({ epoch: 2, leftOut: [DEALER] });
    for (const agent of consortium.agents) await agent.approveRoster(fingerprint);

    const done = await consortium.follow(run);
    expect(done.state).toBe('completed');
    const counted = done.rounds.filter(({ kind }) => kind === 'update').map((round) => round.counted);
    expect(counted).toEqual([['site-1', 'site-3', 'site-4']]);
    const applied = consortium.events.some(
      ({ site, event }) => site === DEALER && event['event'] === 'applied' && event['kind'] === 'update',
    );
    expect(applied).toBe(true);
    expect(consortium.failures).toEqual([]);

    const ledger = join(consortium.folders.out, 'ledger');
    await consortium.coordinator.exportLedger(ledger);
    expect(await runCommand(AUDITOR, ['verify', ledger, '--key', logVkey])).toMatchObject({ code: 0 });
  },
  2 * LONGEST_MS,
);
