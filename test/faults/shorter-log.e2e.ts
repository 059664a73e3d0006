import { rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseSplitView, checkSplitView, parseVkey } from '@coferment/ledger';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyFolder } from '../../client-agent/src/testing/folder.copy.fixture.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { AGENT, runCommand } from '../e2e/command.runner.js';
import { TestConsortium } from '../e2e/test.consortium.js';
import { plantedPlan, SMALL_SITE, writePlantedRecords } from '../sovereignty/planted.records.js';

const SITES = ['site-1', 'site-2'];
const LONGEST_MS = 90_000;
const consortium = new TestConsortium();
let logVkey: string;

interface Status {
  code: number | null;
  cosigned: { size: string } | null;
  splitViews: { id: number; what: string }[];
}

beforeAll(async () => {
  ({ logVkey } = await consortium.start());
  await consortium.enrol(SITES.map((id) => ({ id, write: (folder) => writePlantedRecords(folder, id, SMALL_SITE) })));
}, 120_000);
afterAll(() => consortium.stop());

const folderOf = (site: string) => consortium.agents.find((agent) => agent.site === site)!.folder;

async function statusOf(site: string): Promise<Status> {
  const { code, stdout } = await runCommand(AGENT, ['status', '--data', folderOf(site), '--json']);
  return { code, ...(JSON.parse(stdout) as Omit<Status, 'code'>) };
}

async function comesTo(site: string, isSo: (status: Status) => boolean): Promise<Status> {
  for (const endMs = Date.now() + LONGEST_MS; Date.now() < endMs; await pause(500)) {
    const status = await statusOf(site);
    if (isSo(status)) return status;
  }
  throw new Error(`${site} did not come to it: ${JSON.stringify(await statusOf(site))}`);
}

async function publish(name: string): Promise<void> {
  const file = join(consortium.folders.out, `${name}.yaml`);
  await writeFile(file, plantedPlan(1).replace(/^plan: .*$/m, `plan: ${name}`));
  await consortium.coordinator.publishPlan(file);
}

it('a coordinator put back to a backup is found by every site, which stops until its people decide', async () => {
  await consortium.serve();
  // Both witness keys are in the log, and both sites have cosigned that.
  const before = await Promise.all(SITES.map((site) => comesTo(site, ({ cosigned }) => Number(cosigned?.size ?? 0) >= 6)));
  expect(before.map(({ code }) => code)).toEqual([0, 0]);
  const coordinatorFolder = consortium.folders.coordinator;
  const backup = join(temporaryFolder('coordinator-backup'), 'data');
  await consortium.coordinator.kill();
  copyFolder(coordinatorFolder, backup);
  await consortium.coordinator.restart();
  await publish('lost-with-the-backup');
  const last = Math.max(...before.map(({ cosigned }) => Number(cosigned!.size)));
  await Promise.all(SITES.map((site) => comesTo(site, ({ cosigned }) => Number(cosigned!.size) > last)));

  await consortium.coordinator.kill();
  rmSync(coordinatorFolder, { recursive: true });
  copyFolder(backup, coordinatorFolder);
  await consortium.coordinator.restart();
  for (const site of SITES) {
    const stopped = await comesTo(site, ({ splitViews }) => splitViews.length > 0);
    expect(stopped).toMatchObject({ code: 1, splitViews: [{ id: 1, what: expect.stringContaining('older state') }] });
    expect(consortium.events.filter((told) => told.site === site && told.event['event'] === 'split-view')).toHaveLength(1);
  }

  const out = join(temporaryFolder('evidence'), 'files');
  const evidence = await runCommand(AGENT, ['ledger', 'evidence', '--data', folderOf('site-1'), '--out', out, '--json']);
  const { evidence: kept } = JSON.parse(evidence.stdout) as { evidence: { evidence: string }[] };
  // Both halves are the log's own; that one does not begin with the other, only the log could show.
  expect(checkSplitView(parseSplitView(kept[0]!.evidence), [parseVkey(logVkey)])).toMatchObject({ verdict: 'open' });

  // The people of one site decide, and it goes on with the log as it is now; the other stays where it is.
  const decided = ['--dismiss', '1', '--reason', 'the operator restored a backup'];
  expect(await runCommand(AGENT, ['ledger', 'evidence', '--data', folderOf('site-1'), ...decided])).toMatchObject({ code: 0 });
  await publish('after-the-backup');
  const onwards = await comesTo('site-1', ({ cosigned, splitViews }) => splitViews.length === 0 && Number(cosigned!.size) > last - 1);
  expect(onwards.code).toBe(0);
  expect(await statusOf('site-2')).toMatchObject({ code: 1, splitViews: [{ id: 1 }] });
  expect(await runCommand(AGENT, ['journal', 'verify', '--data', folderOf('site-1')])).toMatchObject({ code: 0 });
}, 600_000);
