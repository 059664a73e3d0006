/*
 * A run that one of four sites never approves: real coordinator, real agents, all in this process so that a week can pass when the test says so. The three
 * others see who is missing before they go on; the fourth, whose rules refuse the plan, learns that it is over for it; a fifth, which joins later, uses the
 * released model. The record of one of the three is then read, checked and reproduced from with the commands that its people have.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addApprovalCommands } from '../../client-agent/src/cli/approval.commands.js';
import { addDataCommands } from '../../client-agent/src/cli/data.commands.js';
import { addJournalCommands } from '../../client-agent/src/cli/journal.commands.js';
import { addLedgerCommands } from '../../client-agent/src/cli/ledger.commands.js';
import { addModelCommands } from '../../client-agent/src/cli/model.commands.js';
import { addReproduceCommand } from '../../client-agent/src/cli/reproduce.command.js';
import { ObjectCache } from '../../client-agent/src/connection/object.cache.js';
import { joinConsortium } from '../../client-agent/src/enrolment/join.flow.js';
import { Journal } from '../../client-agent/src/journal/journal.js';
import { serve } from '../../client-agent/src/rounds/agent.service.js';
import { rosterReport } from '../../client-agent/src/status/roster.report.js';
import { requireOpen, standingOf } from '../../client-agent/src/status/run.standing.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { AuthorityRollover } from '../../coordinator/src/certificates/authority.rollover.js';
import { ask } from '../../coordinator/src/cli/operator.client.js';
import { rosterScreens } from '../../coordinator/src/cli/roster.commands.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { plantedPlan, SMALL_SITE, writePlantedRecords } from './planted.records.js';

const WITHIN_MS = 300_000;
const PASSPHRASE = 'four words on paper';
const SITES = ['alder', 'birch', 'cedar', 'maple'];
const APPROVING = SITES.slice(0, 3);
const PLAN = plantedPlan(1)
  .replace('hidden: [64, 32]', 'hidden: [4]')
  .replace('minContributors: 4', 'absentAfterPolls: 1000, deadline: 10 h');

const root = temporaryFolder('coferment-narrowed');
const passphraseFile = join(root, 'passphrase');
const coordinator = new TestCoordinator();
const stop = new AbortController();
const serving: Promise<void>[] = [];
let run = '';

const folderOf = (site: string) => join(root, site);
const withJournal = <T>(site: string, work: (journal: Journal) => T): T => {
  const journal = Journal.open(join(folderOf(site), 'journal.sqlite'));
  try {
    return work(journal);
  } finally {
    journal.close();
  }
};
const rosterAt = (site: string) =>
  withJournal(site, (journal) => rosterReport(journal, new ObjectCache(join(folderOf(site), 'objects')), 'scripted'));
const standingAt = (site: string) => withJournal(site, (journal) => standingOf(journal, journal.runs.get(run)!));

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1200; tries++) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error(`${what} did not come about; the run waits for ${(await coordinator.run(run)).waitingFor.join(', ')}`);
}

async function enrol(site: string): Promise<string> {
  const inviteFile = join(root, `${site}.invite`);
  writeFileSync(inviteFile, await coordinator.invite(site));
  await joinConsortium({ folder: folderOf(site), inviteFile, passphrase: PASSPHRASE });
  return writePlantedRecords(join(root, `${site}-records`), site, { ...SMALL_SITE, batches: 4 + (site.length % 2) });
}

async function command(
  add: (program: Command) => void,
  ...args: string[]
): Promise<{ out: string; error: string; code: typeof process.exitCode }> {
  const printed = { out: '', error: '' };
  process.exitCode = 0;
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((printed.out += String(text))));
  const error = vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((printed.error += String(text))));
  const program = new Command();
  add(program);
  await program.parseAsync([...args, '--json'], { from: 'user' });
  out.mockRestore();
  error.mockRestore();
  return { ...printed, code: process.exitCode };
}

beforeAll(async () => {
  mkdirSync(root, { recursive: true });
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
  await coordinator.start();
  const watcher = { serving: () => undefined, event: () => undefined, probed: () => undefined };
  for (const site of SITES) {
    const mappingFile = await enrol(site);
    if (site === 'maple') writeFileSync(join(folderOf(site), 'policy.yaml'), 'schema: 1\nrules: { minContributors: 100 }\n');
    const recordsFolder = join(root, `${site}-records`);
    const input = { folder: folderOf(site), passphrase: PASSPHRASE, mappingFile, recordsFolder, pollWaitMs: 1000, backend: 'cpu' as const };
    serving.push(serve(input, watcher, stop.signal));
  }
  run = await coordinator.launch(PLAN, SITES, WITHIN_MS);
  await until('the request at all sites', () => SITES.every((site) => withJournal(site, (journal) => journal.runs.get(run) !== undefined)));
}, 300_000);

afterAll(async () => {
  stop.abort();
  await Promise.all(serving);
  await coordinator.remove();
  process.exitCode = 0;
});

describe('a run of four sites that must approve within some time', () => {
  it('is refused by the rules of one, whatever its people say, and the operator is told by which', async () => {
    const told = { site: 'maple', subject: 'plan 1', rule: 'minContributors', reason: 'plan has 3, floor is 100' };
    await until('word of the refusal', async () => (await coordinator.run(run)).refusals.length > 0);
    expect((await coordinator.run(run)).refusals).toMatchObject([told]);
    const { plan } = withJournal('maple', (journal) => journal.runs.get(run)!);
    const approved = await command(addApprovalCommands, 'plans', 'approve', plan, '--data', folderOf('maple'));
    expect(approved).toMatchObject({ code: 1, out: expect.stringContaining('policy-refused') });
    withJournal('maple', (journal) => {
      expect(journal.approvals.planDecisions()).toEqual([]);
      expect(journal.activity.refusals(9)).toMatchObject([{ run, subject: 'plan 1', code: 'policy-refused' }]);
    });
  });

  it('tells each site until when, and waits', async () => {
    const { approvalDeadlineMs } = await coordinator.run(run);
    await until('the deadline at all sites', () => SITES.every((site) => standingAt(site).approveByMs === approvalDeadlineMs));
    for (const site of APPROVING)
      withJournal(site, (journal) => {
        const { plan, ordinal, sites } = journal.runs.get(run)!;
        journal.approvals.decidePlan(plan, ordinal, 'approved', sites);
      });
    await until('three approvals', async () => (await coordinator.run(run)).waitingFor.join() === 'maple');
    const { plan } = withJournal('alder', (journal) => journal.runs.get(run)!);
    for (const decide of ['withdraw', 'approve'])
      expect(await command(addApprovalCommands, 'plans', decide, plan, '--data', folderOf('alder'))).toMatchObject({
        code: 0,
        error: expect.anything(),
      });
    expect(await coordinator.run(run)).toMatchObject({ state: 'awaiting-approval' });
  });

  it('goes on among the three when it is over, once their people have seen who is missing', async () => {
    coordinator.pass(WITHIN_MS);
    await until('the roster at three sites', () => APPROVING.every((site) => rosterAt(site).waiting.length > 0));
    const { operator } = coordinator.operator;
    const { rosters } = await ask(operator.getRosters.bind(operator), { run });
    const [screen] = rosterScreens('scripted', await coordinator.run(run), rosters);
    for (const site of APPROVING) {
      const { epochs, waiting } = rosterAt(site);
      expect(epochs).toMatchObject([{ epoch: 1, approved: false }]);
      // What is read aloud is the same at the operator and at every site, line by line.
      expect(epochs[0]!.lines).toEqual(screen!.lines);
      expect(waiting[0]!.reason).toMatch(/maple is missing: this site approved the run for 4 sites .* the roster has 3 /);
    }
    expect(screen!.lines).toContain('Asked for this run and not in it: maple');
    const { fingerprint } = await coordinator.run(run);
    for (const site of APPROVING) withJournal(site, (journal) => journal.approvals.approveRoster(fingerprint));
    await until('the end of the run', async () => (await coordinator.run(run)).state === 'completed');
    for (const site of APPROVING) expect(rosterAt(site).epochs).toMatchObject([{ fingerprint, approved: true }]);
    expect(await coordinator.run(run)).toMatchObject({ sites: APPROVING, notApproved: ['maple'] });
  });

  it('is over for the fourth, which keeps nothing open for its people', async () => {
    await until('word of the end', () => standingAt('maple').isOver);
    expect(standingAt('maple').standing).toMatch(/^over/);
    withJournal('maple', (journal) =>
      expect(() => requireOpen(journal, journal.runs.get(run))).toThrow(expect.objectContaining({ code: 'run-closed' })),
    );
  });
});

describe('its model', () => {
  let mapping: string;
  const member = (site: string) => ['--data', folderOf(site), '--passphrase-file', passphraseFile];

  beforeAll(async () => {
    mapping = await enrol('elder');
  }, 60_000);

  it('is nothing for a site that was not in the run before the operator releases it', async () => {
    expect(JSON.parse((await command(addModelCommands, 'models', 'list', ...member('elder'))).out)).toEqual({ models: [] });
    const refused = await command(addModelCommands, 'models', 'download', run, '--out', join(root, 'early'), ...member('elder'));
    expect(JSON.parse(refused.out)).toMatchObject({ error: { code: 'no-model', message: expect.stringContaining('has been released') } });
  });

  it('is downloaded by such a site then, and is the one that the sites of the run have computed', async () => {
    const { operator } = coordinator.operator;
    const { model } = await ask(operator.releaseModel.bind(operator), { run });
    const list = JSON.parse((await command(addModelCommands, 'models', 'list', ...member('elder'))).out) as { models: object[] };
    expect(list.models).toMatchObject([{ run, model, sites: APPROVING }]);

    const taken = JSON.parse(
      (await command(addModelCommands, 'models', 'download', run, '--out', join(root, 'taken'), ...member('elder'))).out,
    );
    expect(taken).toMatchObject({ run, model, own: false });
    await until('the end at alder', () => standingAt('alder').isOver);
    // From its own computation: without a passphrase nobody is called.
    const own = JSON.parse(
      (await command(addModelCommands, 'models', 'download', run, '--out', join(root, 'own'), '--data', folderOf('alder'))).out,
    );
    expect(own).toMatchObject({ run, model, own: true });
    for (const file of ['coferment-model.json', 'model.json', 'weights.bin'])
      expect(readFileSync(join(root, 'taken', file))).toEqual(readFileSync(join(root, 'own', file)));
  });

  it('predicts there what it predicts at a site of the run', async () => {
    const on = ['--mapping', mapping, '--records', join(root, 'elder-records'), '--backend', 'cpu'];
    const there = await command(addDataCommands, 'predict', '--model', join(root, 'taken', 'coferment-model.json'), ...on);
    const here = await command(addDataCommands, 'predict', '--run', run, '--data', folderOf('alder'), ...on);
    expect(JSON.parse(there.out)).toMatchObject({
      run,
      round: 1,
      predictions: expect.arrayContaining([expect.objectContaining({ value: expect.any(Number) })]),
    });
    expect(there.out).toBe(here.out);
    const unclear = await command(addDataCommands, 'predict', '--run', run, ...on);
    expect(JSON.parse(unclear.out)).toMatchObject({ error: { code: 'no-model', message: expect.stringContaining('Say which model') } });
  });
});

describe('the record of a site of the run', () => {
  const alder = ['--data', folderOf('alder')];
  const secret = ['--passphrase-file', passphraseFile];
  const kinds = async (site: string) =>
    (await command(addJournalCommands, 'journal', '--data', folderOf(site))).out
      .trim()
      .split('\n')
      .map((row) => (JSON.parse((JSON.parse(row) as { line: string }).line) as { kind: string }).kind);

  it('has what became of the membership, the rules and the decisions, as the real programs have written it', async () => {
    await coordinator.running.context.get(AuthorityRollover).roll();
    const renewals = async () => (await kinds('alder')).filter((kind) => kind === 'certificate-renewed').length;
    await until('a new certificate at alder', async () => (await renewals()) === 2);
    const once = [
      'joined',
      'agent-started',
      'plan-approved',
      'plan-withdrawn',
      'roster-shown',
      'roster-approved',
      'roster-used',
      'trained',
      'keys-erased',
    ];
    expect(await kinds('alder')).toEqual(expect.arrayContaining([...once, 'authorities-changed', 'policy-changed']));
    expect((await kinds('alder')).slice(0, 2)).toEqual(['opened', 'joined']);
    expect((await kinds('alder')).filter((kind) => kind === 'authorities-changed')).toHaveLength(2);
    expect(await kinds('maple')).toEqual(expect.arrayContaining(['joined', 'policy-changed', 'instruction-refused', 'refusal-told']));
  });

  it('holds while the agent serves, agrees with the ledger, and is exported for others', async () => {
    const ledger = join(root, 'ledger');
    const { logVkey } = JSON.parse((await command(addLedgerCommands, 'ledger', 'export', '--out', ledger, ...alder, ...secret)).out) as {
      logVkey: string;
    };
    const verified = await command(addJournalCommands, 'journal', 'verify', ...alder, '--ledger', ledger, '--log-key', logVkey);
    expect(JSON.parse(verified.out)).toMatchObject({ verdict: 'holds', findings: [] });
    expect(verified.code).toBe(0);
    expect((await command(addJournalCommands, 'journal', 'verify', '--data', folderOf('maple'))).code).toBe(0);
    const file = join(root, 'record.jsonl');
    const exported = JSON.parse((await command(addJournalCommands, 'journal', 'export', file, ...alder, ...secret)).out) as {
      identityKey: string;
    };
    const check = (key: string) => command(addJournalCommands, 'journal', 'verify', file, '--key', key);
    expect((await check(exported.identityKey)).code).toBe(0);
    expect((await check('0'.repeat(64))).code).toBe(1);
    writeFileSync(file, readFileSync(file, 'utf8').replace('"bytes\\":', '"bytes\\": '));
    expect((await check(exported.identityKey)).code).toBe(1);
  });

  it('lets its update be made again, and says so when it is another one', async () => {
    const reproduce = (records: string, mapping: string, ...wanted: string[]) =>
      command(addReproduceCommand, 'reproduce', '--run', run, ...wanted, ...alder, ...secret, '--mapping', mapping, '--records', records);
    const own = join(root, 'alder-records');
    const same = await reproduce(own, join(own, 'mapping.yaml'), '--round', '1');
    expect(JSON.parse(same.out)).toMatchObject({ matches: true, kind: 'update', differs: [] });
    expect(same.code).toBe(0);
    const changed = join(root, 'changed-records');
    cpSync(own, changed, { recursive: true });
    const offline = join(changed, 'offline.csv');
    writeFileSync(offline, readFileSync(offline, 'utf8').replace('9.8696044', '9.8696045'));
    const other = await reproduce(changed, join(changed, 'mapping.yaml'), '--round', '1');
    expect(JSON.parse(other.out)).toMatchObject({ matches: false, reasons: [expect.stringMatching(/The records are not those/)] });
    expect(other.code).toBe(1);
    expect((await reproduce(own, join(own, 'mapping.yaml'), '--round', '9')).code).toBe(2);
  });
});
