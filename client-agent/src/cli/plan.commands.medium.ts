import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planBytes, planDigest, parsePlan, runId } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { Command } from 'commander';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ObjectCache } from '../connection/object.cache.js';
import { writeMembership } from '../enrolment/membership.file.js';
import { Journal } from '../journal/journal.js';
import type { PlanExplanation } from '../policy/plan.explanation.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { addPlanCommands } from './plan.commands.js';
import { addPolicyCommands } from './policy.commands.js';

const SITES = ['alder', 'birch', 'cedar', 'dogwood'];
const PLAN = parsePlan({
  schema: 1,
  plan: 'titre-from-probes',
  sample: { at: 'samples', window: '1 h', of: ['temperature', 'ph'], summarise: ['last'], ranges: { temperature: [20, 45] } },
  target: { variable: 'product_concentration' },
  model: { kind: 'linear' },
  rounds: 12,
  quorum: { deadline: '30 min' },
  evaluation: { holdout: { byBatch: 0.5 } },
});
const plan = planDigest(PLAN);
const first = runId(plan, 1);

let folder: string;
let journal: Journal;
let screen: { out: string; error: string };
beforeAll(loadCrypto);
beforeEach(() => {
  folder = temporaryFolder('agent-plans');
  const member = { schema: 1 as const, consortium: 'acme', site: 'alder', coordinator: 'localhost:1', serverName: 'localhost' };
  const none = { caCertificate: '', logVkey: '', origin: '', certificateExpiresAt: new Date().toISOString() };
  writeMembership(folder, { ...member, ...none, identityKey: 'b'.repeat(64), operatorKey: 'c'.repeat(64) });
  journal = Journal.open(join(folder, 'journal.sqlite'));
});
afterEach(() => {
  journal.close();
  vi.restoreAllMocks();
  process.exitCode = 0;
});

function announce(ordinal = 1, sites = SITES): void {
  new ObjectCache(join(folder, 'objects')).store(planBytes(PLAN));
  journal.runs.announce(runId(plan, ordinal), plan, ordinal, sites);
}

async function command(...args: string[]): Promise<void> {
  screen = { out: '', error: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((screen.out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((screen.error += String(text)), true));
  process.exitCode = 0;
  const program = new Command();
  addPlanCommands(program);
  addPolicyCommands(program);
  await program.parseAsync(args, { from: 'user' });
}
const plans = (verb: string, ...args: string[]) => command('plans', verb, plan, '--data', folder, ...args);
const decisions = () => journal.approvals.planDecisions().map(({ ordinal, decision, reason }) => ({ ordinal, decision, reason }));

describe('plans show', () => {
  it('says what to do where the plan is not here yet, and writes nothing', async () => {
    await plans('show', '--json');
    expect(process.exitCode).toBe(1);
    expect(JSON.parse(screen.out)).toMatchObject({ error: { code: 'not-announced' } });
    expect(screen.error).toMatch(/No run of plan .* coferment-agent plans list/);
    journal.runs.announce(first, plan, 1, SITES);
    await plans('show');
    expect(screen.error).toMatch(/its plan is not downloaded yet/);
  });

  it('asks for both where one of mapping and records is given', async () => {
    announce();
    await plans('show', '--mapping', 'mapping.yaml');
    expect(screen.error).toMatch(/give both --mapping and --records/);
  });

  it('tells a process engineer what is learnt, what leaves, who takes part and how private it is', async () => {
    announce();
    await plans('show');
    expect(process.exitCode).toBe(0);
    for (const said of [
      'A linear model with 3 numbers that predicts product_concentration (g/L) from 2 variables.',
      'It is trained in 12 rounds',
      'reads temperature (Cel, public range 20 to 45)',
      'No record and no row, in any form.',
      'encrypted update vector',
      '4 sites: alder, birch, cedar, dogwood',
      'No run was approved here before.',
      'nor can the operator together with up to 1 site (collusion bound c = 1)',
      '4 sites hold shares of the key; 3 of them open a sum',
      'Only sums over at least 3 sites are opened.',
      'Differential privacy is off: nothing bounds what the sums themselves tell.',
      'A round waits for all 4 sites, 30 min at most; then it goes on with those that are there, if they are at least 3.',
      'What the rules of this site say (no policy file)',
      `To approve it: coferment-agent plans approve ${plan} --data`,
    ])
      expect(screen.out).toContain(said);
  });

  it('shows the columns, batches and rows that would be used of the records', async () => {
    announce();
    const records = join(folder, 'records');
    mkdirSync(records);
    const batches = ['B1', 'B2', 'B3', 'B4'];
    const online = batches.flatMap((batch) => Array.from({ length: 6 }, (_, hour) => `${batch},${hour},${30 + hour}`));
    const offline = batches.flatMap((batch) => [1, 2, 3].map((hour) => `${batch},${hour},${hour * 2}`));
    writeFileSync(join(records, 'online.csv'), `batch,hour,T_reactor\n${online.join('\n')}\n`);
    writeFileSync(join(records, 'offline.csv'), `batch,hour,titre\n${offline.join('\n')}\n`);
    const source = (name: string, role: string, columns: string) =>
      `  - { name: ${name}, role: ${role}, type: csv, path: ${role}.csv, batch: { column: batch }, time: { column: hour, format: hours }, columns: { ${columns} } }`;
    const mapping = join(records, 'mapping.yaml');
    writeFileSync(
      mapping,
      `schema: 1\nsite: alder\nscale: bench\nsources:\n${source('historian', 'online', 'temperature: { column: T_reactor, unit: Cel }')}\n${source('laboratory', 'offline', 'product_concentration: { column: titre, unit: g/L }')}\n`,
    );
    await plans('show', '--mapping', mapping, '--records', records);
    expect(screen.error).toBe('');
    expect(screen.out).toContain('reads temperature (Cel, public range 20 to 45): your column "T_reactor" of historian (Cel)');
    expect(screen.out).toContain('reads ph ([pH], public range 0 to 14): NOT in your mapping');
    expect(screen.out).toContain('predicts product_concentration (g/L, public range 0 to 300): your column "titre" of laboratory (g/L)');
    expect(screen.out).toMatch(/\d batch(es)? of 4 would be used: \d+ rows? to train on, \d+ held out/);
    expect(screen.out).toContain('the plan needs ph as an online series, and no batch has it');
  });

  it('sets the sites beside those of earlier runs, and names rule by rule what the policy says', async () => {
    announce();
    journal.runs.setState(first, 'closed', 'completed');
    announce(2, SITES.slice(0, 3));
    writeFileSync(join(folder, 'policy.yaml'), 'schema: 1\nrules: { minContributors: 4, roundsPerRun: 20, changedSites: refuse }');
    await plans('show', '--json');
    const shown = JSON.parse(screen.out) as PlanExplanation;
    expect(shown).toMatchObject({ ordinal: 2, state: 'asked', approveWith: `coferment-agent plans approve ${plan} --ordinal 2` });
    expect(shown.earlier).toEqual([{ run: first, ordinal: 1, samePlan: true, sites: SITES, added: [], gone: ['dogwood'] }]);
    expect(shown.policy).toMatchObject({ file: join(folder, 'policy.yaml'), verdict: 'refuse' });
    expect(shown.policy.results.map(({ rule, verdict }) => `${rule} ${verdict}`)).toEqual([
      'encryption approve',
      'minContributors refuse',
      'changedSites refuse',
      'roundsPerRun approve',
    ]);
    await plans('show');
    expect(screen.out).toContain(`OTHER SITES than in ${first} of this plan: it also had dogwood. The difference of the two results`);
    expect(screen.out).toMatch(/minContributors {2}REFUSES: plan has 3, floor is 4/);
    expect(screen.out).toContain('Nothing is to be approved.');
  });
});

describe('a decision of a person', () => {
  beforeEach(() => announce());

  it('does not override a rule that refuses, and is not recorded', async () => {
    writeFileSync(join(folder, 'policy.yaml'), 'schema: 1\nrules: { minContributors: 4 }');
    await plans('approve', '--json');
    expect(JSON.parse(screen.out)).toMatchObject({ error: { code: 'policy-refused' } });
    expect(decisions()).toEqual([]);
    writeFileSync(join(folder, 'policy.yaml'), 'schema: 1\nrules: { minContributor: 3 }');
    await plans('approve', '--json');
    expect(JSON.parse(screen.out)).toMatchObject({ error: { code: 'policy-invalid' } });
    expect(decisions()).toEqual([]);
    // Another file, where that is what the agent serves with.
    writeFileSync(join(folder, 'other.yaml'), 'schema: 1\nrules: { minContributors: 3 }');
    await plans('approve', '--policy', join(folder, 'other.yaml'));
    expect(decisions()).toMatchObject([{ decision: 'approved' }]);
  });

  it('can be to reject with a reason, but only before the approval', async () => {
    await plans('reject', '--reason', 'not with pH');
    expect(decisions()).toEqual([{ ordinal: 1, decision: 'rejected', reason: 'not with pH' }]);
    journal.runs.setState(first, 'approved');
    await plans('reject');
    expect(screen.error).toMatch(/is approved already.*plans withdraw/);
    expect(decisions()).toHaveLength(1);
  });

  it('can be to withdraw what was approved, and to approve it again', async () => {
    await plans('withdraw');
    expect(screen.error).toMatch(/not approved here, so there is nothing to withdraw.*plans reject/);
    await plans('approve');
    journal.runs.setState(first, 'approved');
    await plans('withdraw', '--reason', 'a new owner');
    expect(screen.out).toMatch(
      /From the next round on this site contributes nothing.*are still opened.*for the others, who depend on it.*plans approve/s,
    );
    expect(decisions()).toEqual([{ ordinal: 1, decision: 'withdrawn', reason: 'a new owner' }]);
    await command('plans', 'list', '--data', folder);
    expect(screen.out).toMatch(/approved, withdrawn by a person/);
    await plans('show');
    expect(screen.out).toMatch(/approved here, withdrawn by a person\)/);
    expect(screen.out).toMatch(/The consent is withdrawn. To consent again: coferment-agent plans approve/);
    // A run that waits for a decision is not the one that is meant.
    announce(2);
    await plans('withdraw');
    expect(decisions()).toMatchObject([{ ordinal: 1, decision: 'withdrawn' }]);
    journal.runs.setState(runId(plan, 2), 'dead');
    await plans('approve');
    expect(decisions()).toMatchObject([{ decision: 'approved' }]);
    expect(journal.approvals.planDecision(plan, 1, SITES)).toBe('approved');
    journal.runs.setState(first, 'closed', 'completed');
    await plans('withdraw', '--ordinal', '1');
    expect(screen.error).toMatch(/is over for this site \(completed\)/);
  });
});

describe('policy check', () => {
  it('reads a file without a data folder, and asks its rules about a plan', async () => {
    const file = join(folder, 'rules.yaml');
    const planFile = join(folder, 'plan.yaml');
    writeFileSync(planFile, Buffer.from(planBytes(PLAN)));
    writeFileSync(file, 'schema: 1\nrules: { minContributor: 3 }');
    await command('policy', 'check', file);
    expect(process.exitCode).toBe(1);
    expect(screen.error).toMatch(/unknown key "minContributor"; did you mean "minContributors"\?/);
    writeFileSync(file, 'schema: 1\nwhenAllHold: approve\nrules: { minContributors: 4 }');
    await command('policy', 'check', file, '--plan', planFile, '--sites', 'dogwood,alder,birch,cedar');
    expect(screen.out).toMatch(/every sum is over at least 4 sites/);
    expect(screen.out).toMatch(/: refuse\n(.*\n)* {2}minContributors {2}REFUSES: plan has 3, floor is 4/);
    await command('policy', 'check', file, '--plan', planFile);
    expect(screen.error).toMatch(/Name them with --sites/);
    await command('policy', 'show', '--data', folder);
    expect(screen.out).toMatch(/^No policy file: every run of a plan waits for a person\./);
  });
});
