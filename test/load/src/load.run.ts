import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RoundStatus, RunStatus, WatchRunResponse } from '@coferment/proto';
import { ask } from '../../../coordinator/dist/cli/operator.client.js';
import { CoordinatorProcess } from './coordinator.process.js';
import { CrowdedSites } from './crowded.sites.js';
import { type Drop, dropsOf } from './drop.choice.js';
import type { LoadOptions } from './load.options.js';
import { agreementOf, fewestContributors, type LoadAgreement, loadPlanText } from './load.plan.js';
import type { LoadReport, LoadRound } from './load.schema.js';
import { MemorySampler } from './memory.sampler.js';
import { RunTimes } from './run.times.js';

/** Whoever was dropped comes back when nothing is collected any more. */
const COLLECTED = new Set(['frozen', 'attesting', 'decrypting', 'closed', 'abandoned']);
const COLLECTING = new Set(['training', 'ready', 'uploading']);
const ENDED = new Set(['closed', 'abandoned', 'superseded']);
const TELL_EVERY_MS = 15_000;
const FINAL = new Set(['completed', 'aborted', 'failed', 'stuck']);

/** One load from an empty folder to the end of its run. Everything it started is stopped, and its folder is removed. */
export async function runLoad(options: LoadOptions, say: (line: string) => void): Promise<LoadReport> {
  const folder = mkdtempSync(join(tmpdir(), 'coferment-load-'));
  const refusals = new Map<string, number>();
  const coordinator = new CoordinatorProcess(folder, options.profile);
  const sites = new CrowdedSites(join(folder, 'sites'), options.agents, (text) => {
    const times = refusals.get(text) ?? 0;
    refusals.set(text, times + 1);
    if (times === 0) say(`an agent says: ${text}`);
  });
  const kill = () => {
    coordinator.kill();
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  process.once('SIGINT', kill);
  try {
    const report = await new LoadRun(options, say, folder, coordinator, sites).measure();
    return { ...report, refusals: [...refusals].map(([text, times]) => ({ text, times })) };
  } finally {
    process.off('SIGINT', kill);
    await sites.stop();
    await coordinator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

class LoadRun {
  readonly #times = new RunTimes();
  readonly #drops = new Map<number, Drop[]>();
  readonly #cpuAt = new Map<number, number>();
  readonly #sampler: MemorySampler;
  #ceremonyCpu = 0;

  constructor(
    private readonly options: LoadOptions,
    private readonly say: (line: string) => void,
    private readonly folder: string,
    private readonly coordinator: CoordinatorProcess,
    private readonly sites: CrowdedSites,
  ) {
    this.#sampler = new MemorySampler(coordinator);
  }

  async measure(): Promise<LoadReport> {
    const { agents, rounds, drop, seed } = this.options;
    const loadBefore = loadavg()[0]!;
    await this.coordinator.start();
    const startedMs = Date.now();
    await this.sites.open(this.coordinator.address);
    const identityKeys = await this.sites.join((site) => this.#invite(site));
    const joinSeconds = (Date.now() - startedMs) / 1000;
    this.say(`${agents} agents have joined in ${joinSeconds.toFixed(1)} s`);
    const planText = loadPlanText(agents, rounds);
    const agreement = agreementOf(planText, identityKeys);
    await this.sites.approve({ plan: agreement.plan, fingerprint: agreement.fingerprint });
    await this.sites.serve();
    const run = await this.#launch(planText);
    this.#sampler.start();
    const progress = setInterval(() => void this.#tellWaiting(run), TELL_EVERY_MS);
    await this.#follow(run, agreement).finally(() => clearInterval(progress));
    const status = await this.#status(run);
    const cpuSeconds = this.coordinator.figures().cpuSeconds;
    this.#sampler.stop();
    const { samples } = this.#sampler;
    const { operator } = this.coordinator.operator;
    const { size } = await ask(operator.getLedgerStatus.bind(operator), {});
    return {
      tool: 'load',
      date: new Date().toISOString().slice(0, 10),
      machine: {
        cpu: cpus()[0]?.model.trim() ?? '',
        cores: cpus().length,
        node: process.versions.node,
        loadBefore,
        loadAfter: loadavg()[0]!,
      },
      database: process.env['DATABASE_URL'] ? 'postgresql' : 'embedded',
      agents,
      roundsAsked: rounds,
      drop,
      seed,
      fewestContributors: fewestContributors(agents),
      state: status.state,
      joinSeconds,
      stages: this.#times.stages.map(({ state, seconds }) => ({ state, seconds })),
      rounds: status.rounds.filter(({ kind }) => kind === 'update').map((round) => this.#round(round)),
      coordinator: {
        cpuSeconds,
        ceremonyCpuSeconds: this.#ceremonyCpu,
        logBytes: statSync(join(this.folder, 'coordinator', 'coordinator.log')).size,
        ...this.#sampler.growth(),
        samples,
      },
      ledgerEntries: size,
      events: this.#times.events,
      refusals: [],
    };
  }

  async #invite(site: string): Promise<string> {
    const { operator } = this.coordinator.operator;
    const order = { site, validHours: 1, address: '', preAdmitted: true, role: '' };
    return (await ask(operator.createInvite.bind(operator), order)).invite;
  }

  async #launch(planText: string): Promise<string> {
    const { operator } = this.coordinator.operator;
    const { plan } = await ask(operator.publishPlan.bind(operator), { plan: planText });
    return (await ask(operator.launchRun.bind(operator), { plan, sites: [], approveWithinMs: 0, startAtMs: 0 })).run;
  }

  async #status(run: string): Promise<RunStatus> {
    const { operator } = this.coordinator.operator;
    return (await ask(operator.getRun.bind(operator), { run })).run!;
  }

  /** A load that does not go on says for whom it waits. */
  async #tellWaiting(run: string): Promise<void> {
    const status = await this.#status(run).catch(() => undefined);
    if (status === undefined) return;
    const open = status.rounds.filter(({ state }) => !ENDED.has(state));
    const { state, waitingFor } = status;
    const sums = open.length === 1 ? `sum ${open[0]!.sum} ${open[0]!.state}` : `${open.length} sums open`;
    this.say(`… ${state}, ${sums}, waiting for ${waitingFor.length} sites (${waitingFor.slice(0, 4).join(', ')})`);
  }

  async #follow(run: string, agreement: LoadAgreement): Promise<void> {
    const { operator } = this.coordinator.operator;
    const stream = operator.watchRun({ run, after: 0 }) as unknown as AsyncIterable<WatchRunResponse>;
    for await (const event of stream) {
      this.#times.take(event);
      if (event.type === 'run-state') {
        this.say(`run is ${event.state}`);
        if (FINAL.has(event.state)) return;
      }
      const { round } = event;
      if (event.type !== 'round-state' || round?.kind !== 'update') continue;
      if (COLLECTING.has(event.state) && !this.#drops.has(round.round)) await this.#opened(round.round, agreement);
      if (COLLECTED.has(event.state)) await this.sites.comeBack();
      if (event.state === 'closed' || event.state === 'abandoned') this.#ended(round);
    }
  }

  async #opened(round: number, agreement: LoadAgreement): Promise<void> {
    const { cpuSeconds } = this.coordinator.figures();
    if (this.#cpuAt.size === 0) {
      this.#ceremonyCpu = cpuSeconds;
      this.#sampler.beginRounds();
    }
    this.#cpuAt.set(round, cpuSeconds);
    const { drop: share, seed } = this.options;
    const holders = new Set(agreement.holders);
    const drops = dropsOf(round, { agents: this.sites.agents, share, seed, holders, mostHolders: agreement.spareHolders });
    this.#drops.set(round, drops);
    await this.sites.drop(drops);
  }

  #ended({ round, counted, sum }: RoundStatus): void {
    const { openedMs, closedMs } = this.#times.sum(sum) ?? { openedMs: 0, closedMs: 0 };
    const spent = this.coordinator.figures().cpuSeconds - (this.#cpuAt.get(round) ?? 0);
    const dropped = (this.#drops.get(round) ?? []).length;
    this.#cpuAt.set(-round, spent);
    this.say(
      `round ${round}: ${counted.length} counted, ${dropped} dropped, ${(((closedMs ?? 0) - openedMs) / 1000).toFixed(1)} s, coordinator CPU ${spent.toFixed(1)} s, ${this.coordinator.figures().rssMB.toFixed(0)} MB`,
    );
  }

  #round({ round, sum, state, counted, excluded, uploadBytes }: RoundStatus): LoadRound {
    const times = this.#times.sum(sum);
    return {
      round,
      state,
      counted: counted.length,
      excluded: excluded.map(({ site, reason }) => ({ site, reason })),
      dropped: (this.#drops.get(round) ?? []).map(({ site, kind }) => ({ site, kind })),
      seconds: times?.closedMs === undefined ? 0 : (times.closedMs - times.openedMs) / 1000,
      phases: Object.fromEntries(times?.phases ?? []),
      uploadBytes,
      coordinatorCpuSeconds: this.#cpuAt.get(-round) ?? 0,
    };
  }
}
