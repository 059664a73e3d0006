import { parseAddress } from '@coferment/consortium';
import { type OperatorClient, connect } from '../../../coordinator/src/cli/operator.client.js';
import type { MemberFolders } from '../../../demo/src/members/member.folders.js';
import { type ChildProgram, ProcessGroup, type ProgramEvent } from '../../../demo/src/processes/index.js';
import { SITES, type Site, type Victim } from './fault.schedule.js';
import type { FoundedConsortium } from './founded.consortium.js';
import { coordinatorProgram, servingAgent, storeKey } from './member.programs.js';

const VICTIMS: readonly Victim[] = ['coordinator', ...SITES];
/** A start on a machine that does other things as well; a member that needs longer is stuck. */
const START_MS = 60_000;
/** The promise of a graceful end. */
const STOP_WITHIN_MS = 10_000;

export interface StageWatcher {
  siteTold(site: Site, event: ProgramEvent): void;
  /** A process ended by itself. */
  lost(message: string): void;
}

/** The processes of one schedule: a coordinator and its sites on a copy of their folders, each of which can be stopped hard and started again. */
export class ScheduleStage {
  readonly #group = new ProcessGroup();
  readonly #running = new Map<Victim, ChildProgram>();
  /** Ended, or about to, because the schedule says so. */
  readonly #struck = new WeakSet<ChildProgram>();
  #client: OperatorClient | undefined;

  constructor(
    private readonly founded: FoundedConsortium,
    readonly folders: MemberFolders,
    private readonly watcher: StageWatcher,
  ) {}

  /** The operator's connection to the coordinator, while there is one. */
  get client(): OperatorClient | undefined {
    return this.#client;
  }

  async startAll(): Promise<void> {
    await Promise.all(VICTIMS.map((whom) => this.start(whom)));
  }

  /** Resolves when it serves; at once when it is killed before. */
  async start(whom: Victim): Promise<void> {
    const program = this.#group.start(whom === 'coordinator' ? coordinatorProgram(this.folders) : servingAgent(this.folders, whom));
    this.#running.set(whom, program);
    void program.ended.then(() => {
      if (!this.#struck.has(program)) this.watcher.lost(program.failure().message);
    });
    if (whom !== 'coordinator') program.onEvent((event) => this.watcher.siteTold(whom, event));
    const word = whom === 'coordinator' ? 'listening' : 'serving';
    try {
      const event = await program.event((candidate) => candidate['event'] === word, word, START_MS);
      if (whom === 'coordinator') await this.#listening(program, String(event['address']));
    } catch (error) {
      if (!this.#struck.has(program)) throw error;
    }
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(whom: Victim): Promise<void> {
    const program = this.#running.get(whom);
    if (program === undefined) return;
    this.#struck.add(program);
    program.kill('SIGKILL');
    if (whom === 'coordinator') this.#disconnect();
    await program.ended;
  }

  /** SIGSTOP. Returns what lets the same process go on; if it was killed in between, that does nothing. */
  freeze(whom: Victim): () => void {
    const program = this.#running.get(whom);
    program?.kill('SIGSTOP');
    return () => program?.kill('SIGCONT');
  }

  /** Asks everybody to end. @returns who did not end as it should */
  async stop(): Promise<string[]> {
    this.#disconnect();
    const ends = VICTIMS.map(async (whom) => {
      const program = this.#running.get(whom);
      if (program?.running !== true) return [];
      this.#struck.add(program);
      const { code, signal } = await program.stop(STOP_WITHIN_MS);
      return code === 0
        ? []
        : [`${whom} did not end in order within ${STOP_WITHIN_MS / 1000} s: exit code ${code}, ${signal ?? 'no signal'}`];
    });
    const faults = (await Promise.all(ends)).flat();
    await this.#group.stopAll();
    return faults;
  }

  async #listening(program: ChildProgram, address: string): Promise<void> {
    const target = parseAddress(address)!;
    for (const line of this.founded.lines.values()) line.leadTo(target);
    const client = await connect(this.folders.coordinator, storeKey(this.folders, 'coordinator'));
    if (program === this.#running.get('coordinator') && program.running) this.#client = client;
    else client.close();
  }

  #disconnect(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}
