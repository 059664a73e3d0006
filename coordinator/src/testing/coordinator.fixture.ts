import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OperatorClient, ask, connect } from '../cli/operator.client.js';
import { type RunningCoordinator, type StartOptions, startCoordinator } from '../coordinator.start.js';
import { RunReconciler } from '../runs/run.reconciler.js';
import { Clock } from '../telemetry/clock.js';
import { ScriptedSite } from './scripted-site.fixture.js';
import { ServerDatabase } from './server-database.fixture.js';

export const PASSPHRASE = 'a passphrase for tests';

/** No site becomes absent and no deadline passes, so that runs wait for their sites however slow the machine is. */
export const PLAN_TEXT = `
schema: 1
plan: scripted
sample: { of: [temperature], summarise: [last] }
target: { variable: product_concentration }
normalisation: none
model: { kind: linear }
training: { initialRange: 1 }
rounds: 1
quorum: { absentAfterPolls: 1000, deadline: 10 h }
`;

/** A real coordinator on a folder of its own, in this process, with its operator. */
export class TestCoordinator {
  readonly folder = mkdtempSync(join(tmpdir(), 'coordinator-'));
  readonly database: ServerDatabase | undefined;
  running!: RunningCoordinator;
  operator!: OperatorClient;
  #passedMs = 0;

  /** @param options with a `databaseUrl`: a database that is somebody else's to make and drop */
  constructor(readonly options: Partial<StartOptions> = {}) {
    const server = process.env['DATABASE_URL'];
    if (options.databaseUrl === undefined && server) this.database = new ServerDatabase(server);
  }

  /** Again on the same folder: a restart. */
  async start(): Promise<this> {
    await this.database?.create();
    this.running = await startCoordinator({
      folder: this.folder,
      passphrase: PASSPHRASE,
      consortium: 'scripted',
      origin: 'ledger.localhost/scripted',
      ...(this.database === undefined ? {} : { databaseUrl: this.database.url }),
      ...this.options,
    });
    this.#shiftClock();
    await this.reconnect();
    return this;
  }

  /** Lets time pass while the coordinator runs: deadlines pass, and who does not poll has been silent for so much longer. No calendar is moved. */
  pass(ms: number): void {
    this.#passedMs += ms;
  }

  /** The time that the coordinator decides by. */
  get nowMs(): number {
    return this.running.context.get(Clock).nowMs();
  }

  #shiftClock(): void {
    const clock = this.running.context.get(Clock);
    const [nowMs, steadyMs] = [clock.nowMs.bind(clock), clock.steadyMs.bind(clock)];
    clock.nowMs = () => nowMs() + this.#passedMs;
    clock.steadyMs = () => steadyMs() + this.#passedMs;
  }

  /** The operator's next command: with the certificate that lies in the folder now. */
  async reconnect(): Promise<void> {
    this.operator?.close();
    this.operator = await connect(this.folder, PASSPHRASE);
  }

  async stop(): Promise<void> {
    this.operator.close();
    await this.running.stop();
  }

  async remove(): Promise<void> {
    await this.stop();
    await this.database?.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async invite(site: string, address = ''): Promise<string> {
    const { operator } = this.operator;
    return (await ask(operator.createInvite.bind(operator), { site, validHours: 1, address, preAdmitted: true, role: '' })).invite;
  }

  async join(...sites: string[]): Promise<ScriptedSite[]> {
    const joined: ScriptedSite[] = [];
    for (const site of sites) joined.push(await ScriptedSite.join(await this.invite(site)));
    return joined;
  }

  async launch(text = PLAN_TEXT, sites: string[] = [], approveWithinMs = 0, startAtMs = 0): Promise<string> {
    const { operator } = this.operator;
    const { plan } = await ask(operator.publishPlan.bind(operator), { plan: text });
    return (await ask(operator.launchRun.bind(operator), { plan, sites, approveWithinMs, startAtMs })).run;
  }

  async run(run: string) {
    const { operator } = this.operator;
    return (await ask(operator.getRun.bind(operator), { run })).run!;
  }

  /** Returns when all steps that the acts so far lead to are taken: a site's call is answered before they are. */
  rest(run: string): Promise<void> {
    return this.running.context.get(RunReconciler).advance(run);
  }
}

/** Lets all sites work in turn until the condition holds. @throws Error when it does not within `rounds` turns */
export async function workUntil(sites: readonly ScriptedSite[], done: () => Promise<boolean> | boolean, turns = 200): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    for (const site of sites) {
      if (await done()) return;
      await site.work();
    }
  }
  throw new Error('the sites went on and on without getting there');
}
