import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAddress } from '@coferment/consortium';
import { type OperatorClient, connect } from '../../../coordinator/src/cli/operator.client.js';
import { makeReplica } from '../../../coordinator/src/replicas/replica.folder.js';
import { type MemberFolders, memberFolders } from '../../../demo/src/members/member.folders.js';
import { type ChildProgram, ProcessGroup } from '../../../demo/src/processes/index.js';
import { agreeOn, FOUNDING, joinSites } from './consortium.founding.js';
import { SITES, type Site } from './fault.schedule.js';
import { coordinatorProgram, drawStoreKey, servingAgent, storeKey } from './member.programs.js';
import type { StageWatcher } from './schedule.stage.js';
import { TcpBalancer } from './tcp.balancer.js';

export const REPLICAS = ['replica-a', 'replica-b'] as const;
export type Replica = (typeof REPLICAS)[number];

const START_MS = 60_000;
const STOP_WITHIN_MS = 10_000;

/** Two coordinators on the PostgreSQL server of DATABASE_URL and one object folder, and the sites that reach them by one balancer. */
export class ReplicatedStage {
  readonly folders: MemberFolders;
  readonly #group = new ProcessGroup();
  readonly #replicas = new Map<Replica, ChildProgram>();
  readonly #agents = new Map<Site, ChildProgram>();
  readonly #clients = new Map<Replica, OperatorClient>();
  readonly #struck = new WeakSet<ChildProgram>();
  #balancer!: TcpBalancer;

  constructor(
    root: string,
    private readonly watcher: StageWatcher,
  ) {
    this.folders = memberFolders(root);
  }

  /** A replica that answers, as far as is known. */
  get client(): OperatorClient | undefined {
    return [...this.#clients.values()].at(-1);
  }

  /** Founds with the first replica, lets the sites join and approve by the balancer, and starts the second one. @returns the plan's digest */
  async found(planText: string): Promise<string> {
    mkdirSync(this.folders.out, { recursive: true });
    for (const member of ['coordinator', ...SITES] as const) drawStoreKey(this.folders, member);
    this.#balancer = await TcpBalancer.start();
    const [first, second] = REPLICAS;
    await this.start(first, FOUNDING);
    await joinSites(this.#group, this.client!, this.folders, () => this.#balancer.port);
    const plan = await agreeOn(this.client!, this.folders, planText);
    await makeReplica(this.#dataOf(first), this.#dataOf(second));
    await this.start(second);
    return plan;
  }

  async serve(): Promise<void> {
    await Promise.all(
      SITES.map(async (site) => {
        const program = this.#watched(servingAgent(this.folders, site));
        this.#agents.set(site, program);
        program.onEvent((event) => this.watcher.siteTold(site, event));
        await program.event(({ event }) => event === 'serving', 'serving', START_MS);
      }),
    );
  }

  async start(replica: Replica, founding: readonly string[] = []): Promise<void> {
    const objects = ['--objects', join(this.folders.out, 'objects')];
    const data = this.#dataOf(replica);
    const program = this.#watched(coordinatorProgram(this.folders, [...founding, ...objects], data));
    this.#replicas.set(replica, program);
    const { address } = await program.event(({ event }) => event === 'listening', 'listening', START_MS);
    this.#balancer.put(replica, parseAddress(String(address))!);
    this.#clients.set(replica, await connect(data, storeKey(this.folders, 'coordinator')));
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(replica: Replica): Promise<void> {
    const program = this.#replicas.get(replica)!;
    this.#struck.add(program);
    program.kill('SIGKILL');
    this.#clients.get(replica)?.close();
    this.#clients.delete(replica);
    await program.ended;
  }

  /** @returns who did not end as it should */
  async stop(): Promise<string[]> {
    for (const client of this.#clients.values()) client.close();
    const running = [...this.#agents, ...this.#replicas].filter(([, program]) => program.running);
    const ends = running.map(async ([name, program]) => {
      this.#struck.add(program);
      const { code, signal } = await program.stop(STOP_WITHIN_MS);
      return code === 0
        ? []
        : [`${name} did not end in order within ${STOP_WITHIN_MS / 1000} s: exit code ${code}, ${signal ?? 'no signal'}`];
    });
    const faults = (await Promise.all(ends)).flat();
    await this.#group.stopAll();
    await this.#balancer?.stop();
    return faults;
  }

  #watched(specification: ReturnType<typeof servingAgent>): ChildProgram {
    const program = this.#group.start(specification);
    void program.ended.then(() => {
      if (!this.#struck.has(program)) this.watcher.lost(program.failure().message);
    });
    return program;
  }

  #dataOf(replica: Replica): string {
    return join(this.folders.out, replica);
  }
}
