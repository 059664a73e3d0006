/*
 * A real coordinator and four real agents. One site has standing rules: what they refuse is told to the operator with the rule that fired, nobody at the site
 * can approve it, and when the rules are changed the run goes on. Then the site takes its consent back, and the run goes on without its data.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePlan, planDigest } from '@coferment/consortium';
import type { RunStatus } from '@coferment/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AGENT, COORDINATOR, runCommand } from '../e2e/command.runner.js';
import { TestConsortium } from '../e2e/test.consortium.js';
import { plantedPlan, SMALL_SITE, writePlantedRecords } from './planted.records.js';

const SITES = ['alder', 'birch', 'cedar', 'dogwood'];
const PLAN = plantedPlan(2).replace('minContributors: 4', 'minContributors: 3');
const plan = planDigest(parsePlan(PLAN));

const consortium = new TestConsortium();
let run: string;
let alder: string;

const rules = (floor: number) => writeFileSync(join(alder, 'policy.yaml'), `schema: 1\nrules:\n  minContributors: ${floor}\n`);

async function operator(...args: string[]) {
  const { folders } = consortium;
  const passphrase = consortium.passphraseFile('coordinator');
  return runCommand(COORDINATOR, [...args, '--data', folders.coordinator, '--passphrase-file', passphrase]);
}

async function runUntil(done: (status: RunStatus) => boolean): Promise<RunStatus> {
  for (let tries = 0; tries < 100; tries++) {
    const status = JSON.parse((await operator('run', run, '--json')).stdout) as RunStatus;
    if (done(status)) return status;
    await sleep(500);
  }
  throw new Error(`the run did not come to it: ${(await operator('run', run)).stdout}`);
}

const atAlder = (...args: string[]) => runCommand(AGENT, [...args, '--data', alder]);

/** Half a minute on a quiet machine: its parts are shown in process by the tests beside the handlers and in test/attacks. */
describe.runIf(process.env['SOVEREIGNTY_FULL'] === '1')('a site with standing rules', () => {
  beforeAll(async () => {
    await consortium.start();
    await consortium.enrol(SITES.map((id) => ({ id, write: (folder) => writePlantedRecords(folder, id, SMALL_SITE) })));
    alder = consortium.agents[0]!.folder;
    rules(4);
    // Everybody approves before the plan is there, so that nothing stands in the way at alder but its rules.
    run = await consortium.launch(PLAN);
    await consortium.serve();
  }, 240_000);
  afterAll(() => consortium.stop());

  it('refuses a plan below its floor, approved or not, and the operator sees site, rule and reason', async () => {
    const status = await runUntil(({ refusals }) => refusals.length > 0);
    expect(status).toMatchObject({ state: 'awaiting-approval', waitingFor: expect.arrayContaining(['alder']) });
    expect(status.refusals).toMatchObject([
      { site: 'alder', subject: 'plan 1', rule: 'minContributors', reason: 'plan has 3, floor is 4' },
    ]);
    expect(status.whatToDo).toContain('alder refuses plan 1: rule minContributors: plan has 3, floor is 4.');
    expect((await operator('status')).stdout).toMatch(/refused 20.*: alder refuses plan 1: rule minContributors: plan has 3, floor is 4/);
  });

  it('explains the plan in plain words from what it has, and lets nobody approve it', async () => {
    const records = join(consortium.folders.records, 'alder');
    const shown = await atAlder('plans', 'show', plan, '--mapping', join(records, 'mapping.yaml'), '--records', records);
    expect(shown.stderr).toBe('');
    expect(shown.stdout).toMatch(/predicts product_concentration \(g\/L.*your column "product" of laboratory \(g\/L\)/);
    expect(shown.stdout).toMatch(/4 batches of 4 would be used: \d+ rows to train on, \d+ held out/);
    expect(shown.stdout).toContain('REFUSES: plan has 3, floor is 4');
    const approved = await atAlder('plans', 'approve', plan);
    expect(approved).toMatchObject({ code: 1, stdout: '' });
    expect(approved.stderr).toMatch(/rule minContributors: plan has 3, floor is 4.*No approval overrides a rule/);
  });

  it('takes part once the rules are changed, without a restart', async () => {
    rules(3);
    const { whatToDo } = await runUntil(({ rounds }) => rounds.some(({ kind, state }) => kind === 'statistics' && state !== 'training'));
    expect(whatToDo).not.toContain('alder refuses');
  });

  it('withdraws its consent while the run goes on, and is counted as refused from the next round on', async () => {
    const withdrawn = await atAlder('plans', 'withdraw', plan, '--reason', 'a new owner decides');
    expect(withdrawn).toMatchObject({ code: 0, stdout: expect.stringMatching(/From the next round on.*goes on to sign and to open/s) });
    const status = await runUntil(({ state }) => state === 'completed');
    const last = status.rounds.at(-1)!;
    expect(last).toMatchObject({
      kind: 'evaluate',
      counted: ['birch', 'cedar', 'dogwood'],
      excluded: [{ site: 'alder', reason: 'refused' }],
    });
    expect(status.refusals.at(-1)).toMatchObject({ site: 'alder', subject: 'rounds', rule: 'withdrawn', reason: 'a new owner decides' });
    const watched = (await operator('watch', run)).stdout;
    expect(watched).toMatch(/alder {2}alder refuses plan 1: rule minContributors/);
    expect(watched).toMatch(/alder .*attempt-declined \(withdrawn\)/);
  });

  it('can read all of that in its own status', async () => {
    const { stdout } = await atAlder('status');
    expect(stdout).toContain('rule minContributors: plan has 3, floor is 4');
    expect(stdout).toContain('has withdrawn its consent');
    expect(consortium.failures).toEqual([]);
  });
});
