import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { findVariable, type Plan, resolveQuorum } from '@coferment/consortium';
import { bytesToHex, hash } from '@coferment/crypto';
import { encodeVkey, parsePolicy } from '@coferment/ledger';
import type { DemoOptions } from '../cli/demo.options.js';
import { compareModels } from '../comparison/comparison.process.js';
import { type Agreement, computeAgreement } from '../consortium/out-of-band.check.js';
import { type DemoSite, planWithRounds } from '../consortium/demo.consortium.js';
import { readConsortiumFile } from '../consortium/consortium.file.js';
import { writeVirtualSites } from '../consortium/virtual.consortium.js';
import type { LiveDisplay } from '../display/live.display.js';
import { DemoError } from '../errors/index.js';
import { chooseFault, type Fault, requireBearable } from '../faults/index.js';
import { AgentMember } from '../members/agent.member.js';
import { type Audit, AuditorMember } from '../members/auditor.member.js';
import { CoordinatorMember, type Listening } from '../members/coordinator.member.js';
import { type MemberFolders, memberFolders } from '../members/member.folders.js';
import { writePassphrase } from '../members/passphrase.file.js';
import type { ProcessGroup, ProgramEvent } from '../processes/index.js';
import { consortiumPlan } from '../virtual/index.js';
import { assembleSummary } from '../summary/summary.assembly.js';
import { trainedBackends } from '../summary/trained.backend.js';
import type { Summary } from '../summary/summary.schema.js';
import { inTurns } from './in.turns.js';
import type { RunView } from './run.view.js';
import { followRun } from './run.watch.js';

/** One demo from the first passphrase to summary.json. Every step is what people of a real consortium would do, in the same order. */
export class DemoRun {
  private readonly folders: MemberFolders;
  private readonly startedMs = Date.now();
  private fault: Fault | undefined;
  private lose: (error: DemoError) => void = () => undefined;

  constructor(
    private readonly options: DemoOptions,
    private readonly group: ProcessGroup,
    private readonly display: LiveDisplay,
  ) {
    this.folders = memberFolders(options.out);
  }

  /** @throws DemoError for whatever ends the demo early; processes are left to the caller to stop. */
  async play(): Promise<Summary> {
    const lost = new Promise<never>((_, reject) => {
      this.lose = reject;
    });
    lost.catch(() => undefined);
    return Promise.race([this.steps(), lost]);
  }

  private async steps(): Promise<Summary> {
    const { display, folders, options } = this;
    await this.requireFreshFolder();
    const file = options.consortium === undefined ? undefined : await readConsortiumFile(options.consortium.file, options.consortium.data);
    const { text, plan } = planWithRounds(file?.planText ?? consortiumPlan(options.sites), options.rounds);
    const numbers = resolveQuorum(plan, file?.sites.length ?? options.sites);
    const bearable = Math.min(numbers.n - numbers.rho, numbers.m - numbers.tau, numbers.n - numbers.minContributors);
    requireBearable(options.fault, plan.rounds, { sites: numbers.n, bearable });

    const name = file?.name ?? 'virtual-fermenters';
    const sites = file?.sites ?? (await this.recordVirtualBatches());
    await mkdir(folders.out, { recursive: true });
    const planFile = join(folders.out, 'plan.yaml');
    await writeFile(planFile, text);

    display.phase('Coordinator starts');
    const coordinator = await this.createCoordinator();
    const listening = await coordinator.start(name, `ledger.localhost/${name}`);
    display.note(`listens on ${listening.address}; the auditor will verify with this key of the ledger: ${listening.logVkey}`);
    await writeFile(join(folders.out, 'ledger.vkey'), `${listening.logVkey}\n`);

    const agents = await this.enrol(sites, coordinator);
    const agreement = await this.compareOutOfBand(plan, agents);
    await this.startAgents(agents);

    display.phase('Operator publishes the plan and launches the run');
    const published = await coordinator.publishPlan(planFile);
    if (published !== agreement.plan) {
      throw new DemoError(
        'run-failed',
        `The coordinator published plan ${published}, not the approved ${agreement.plan}. Nothing was trained.`,
      );
    }
    const run = await coordinator.launch(published);
    display.note(`run ${run}: ${plan.rounds} rounds, ${numbers.n} sites, ${numbers.m} key holders, ${numbers.tau} of them open a sum`);

    const view = await this.train(run, plan, coordinator, agents);
    const audit = await this.audit(coordinator, agents, listening);
    await coordinator.exportModel(run, folders.model);
    display.phase('For comparison: every site alone, and all records in one place');
    const comparison = await compareModels(this.group, folders, {
      planFile,
      sites: [...sites],
      rounds: view.rounds.filter((round) => round.kind === 'update' && round.state === 'closed').length,
      seed: options.seed,
      unit: findVariable(plan.target.variable)?.unit ?? '',
      modelFolder: folders.model,
    });

    const summary = assembleSummary({
      fault: options.fault,
      backends: await trainedBackends(folders.ledger),
      reportFile: relative(folders.out, folders.report),
      modelFile: relative(folders.out, join(folders.model, 'model.json')),
      run: view,
      comparison,
      audit,
      startedMs: this.startedMs,
      endedMs: Date.now(),
    });
    await writeFile(join(folders.out, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`);
    return summary;
  }

  private async requireFreshFolder(): Promise<void> {
    const { out } = this.folders;
    const occupied = await readdir(out).catch(() => []);
    if (occupied.length > 0) {
      throw new DemoError('bad-option', `--out ${out} is not empty. Name a new folder, or empty it; nothing was changed.`);
    }
  }

  private async recordVirtualBatches(): Promise<DemoSite[]> {
    const { options, folders, display } = this;
    display.phase(`${options.sites} virtual sites record their batches`);
    return writeVirtualSites(folders.records, options.sites, options.seed, (site) => display.note(site));
  }

  private async createCoordinator(): Promise<CoordinatorMember> {
    await mkdir(join(this.folders.out, 'invites'), { recursive: true });
    const passphrase = await writePassphrase(this.folders.passphrases, 'coordinator');
    return new CoordinatorMember(this.group, this.folders, passphrase, (error) => this.lose(error));
  }

  private async enrol(sites: readonly DemoSite[], coordinator: CoordinatorMember): Promise<AgentMember[]> {
    const { display, folders, options } = this;
    display.phase('Sites join with their invites; each makes its own keys');
    const watcher = {
      event: (site: string, event: ProgramEvent) => this.agentEvent(site, event),
      lost: (error: DemoError) => this.lose(error),
    };
    const agents = await inTurns(sites, async (site) => {
      const invite = await coordinator.invite(site.id);
      const passphraseFile = await writePassphrase(folders.passphrases, site.id);
      const agent = new AgentMember(this.group, folders, { site: site.id, ...site, passphraseFile }, watcher);
      await agent.join(invite, trainingSeed(options.seed, site.id));
      display.activity(`${site.id} has joined`);
      return agent;
    });
    return agents.sort((a, b) => (a.site < b.site ? -1 : 1));
  }

  private async compareOutOfBand(plan: Plan, agents: readonly AgentMember[]): Promise<Agreement> {
    const { display } = this;
    display.phase('Sites compare plan and roster by another channel and approve');
    const keys = new Map(await inTurns(agents, async (agent) => [agent.site, await agent.identityKey()] as const));
    const agreement = computeAgreement(plan, keys);
    display.note(`plan ${agreement.plan}`);
    display.note(`roster fingerprint ${agreement.fingerprint}`);
    await inTurns(agents, async (agent) => {
      await agent.approvePlan(agreement.plan);
      await agent.approveRoster(agreement.fingerprint);
      display.activity(`${agent.site} has approved`);
    });
    return agreement;
  }

  private async startAgents(agents: readonly AgentMember[]): Promise<void> {
    this.display.phase('Agents start, each on its own folder, and call in');
    await inTurns(agents, async (agent) => {
      await agent.serve();
      this.display.activity(`${agent.site} serves`);
    });
  }

  private async train(run: string, plan: Plan, coordinator: CoordinatorMember, agents: readonly AgentMember[]): Promise<RunView> {
    const { display } = this;
    display.phase('Key ceremony: every site deals shares of its key to the key holders');
    const fault = chooseFault(this.options.fault, {
      rounds: plan.rounds,
      agents,
      coordinator,
      tell: (text) => display.warn(text),
    });
    this.fault = fault;
    let training = false;
    const view = await followRun(coordinator, run, {
      roundMoved: (round) => {
        if (!training && round.kind !== 'confirm') {
          training = true;
          display.phase('Training: only encrypted updates leave a site, only sums are opened');
        }
        fault.roundMoved(round);
        if (round.state === 'closed') display.roundClosed(round, plan.rounds, agents.length);
        else display.roundMoved(round, plan.rounds);
      },
      runMoved: (state) => display.activity(`run ${state}`),
      acted: (site, text) => display.activity(`${site}: ${text}`),
      settled: () => fault.settled(),
    });
    if (view.state === 'completed') return view;
    throw new DemoError(
      'run-failed',
      `The run ${run} ended as "${view.state}": ${view.cause} ${view.whatToDo}\nLogs: ${this.folders.logs}`,
    );
  }

  /** With nothing but a web address, two keys, and what two sites hand out. */
  private async audit(coordinator: CoordinatorMember, agents: readonly AgentMember[], keys: Listening): Promise<Audit> {
    const { display, folders } = this;
    display.phase('Auditor downloads the ledger, verifies it, and opens every sum again');
    const [one, another] = agents;
    if (one === undefined || another === undefined)
      throw new DemoError('run-failed', 'There are no sites whose receipts could be checked.');
    const receipts = await one.exportReceipts(join(folders.receipts, one.site));
    const others = await another.exportReceipts(join(folders.receipts, another.site));
    const policy = others.at(-1)?.find((file) => file.endsWith('policy.txt')) ?? '';
    await requirePolicyOf(keys.logVkey, policy);
    const auditor = new AuditorMember(this.group, folders, { ...keys, policy });
    await coordinator.ledgerPublished();
    display.activity('the ledger is downloaded, with its ciphertexts and decryption shares');
    await auditor.fetch(coordinator.ledgerUrl);
    const verdict = await auditor.verify();
    const said = `${verdict.size} entries, cosigned by ${verdict.witnesses.length} witnesses: ${verdict.summary}; root ${verdict.rootHash}`;
    if (verdict.verified) display.note(said);
    else display.warn(said);
    display.activity('every sum is opened again');
    const recomputed = await auditor.recompute();
    const outcome = recomputed.same ? 'all came out bit for bit' : 'NOT all came out as published';
    display.note(`${recomputed.sums} sums opened again from their ciphertexts and shares, and every model computed: ${outcome}`);
    const checked = await auditor.receipt(receipts.at(-1)?.filter((file) => file.endsWith('.tlog-proof')) ?? []);
    display.note(
      `receipt of ${checked.site}'s last contribution, under the policy that ${another.site} gave: ${checked.holds ? 'holds' : 'DOES NOT HOLD'}, ${checked.witnesses} witnesses`,
    );
    await auditor.report();
    return { verdict, recomputed, receipt: checked };
  }

  private agentEvent(site: string, event: ProgramEvent): void {
    const act = [event['event'], event['kind'], event['name']].filter((part) => typeof part === 'string').join(' ');
    this.display.siteAct(site, act);
    this.fault?.agentEvent(site, event);
  }
}

/** The auditor believes a site's word on who the witnesses are, and nobody's on the key of the log. */
async function requirePolicyOf(logVkey: string, policy: string): Promise<void> {
  const { logs } = parsePolicy(await readFile(policy, 'utf8'));
  if (logs.length !== 1 || encodeVkey(logs[0]!) !== logVkey)
    throw new DemoError('bad-answer', `The policy in ${policy} is of another log than ${logVkey}.`);
}

/** The demo repeats itself bit for bit because it chooses the seed that each site would draw in secret. */
function trainingSeed(seed: number, site: string): string {
  return bytesToHex(hash('demo-training-seed', seed, site));
}
