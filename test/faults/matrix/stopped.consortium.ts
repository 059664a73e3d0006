import type { StopSwitch } from './stop.switch.js';
import { type JournalDatabase } from '../../../client-agent/src/journal/journal.database.js';
import type { RunView } from '../../../coordinator/src/runs/run.view.js';
import { isOver } from '../../../coordinator/src/runs/run.view.js';
import { RunViews } from '../../../coordinator/src/runs/run.views.js';
import { Presence } from '../../../coordinator/src/rounds/presence.js';
import { Killed, watchAgents } from './agent.stops.js';
import { watchCoordinators } from './coordinator.stops.js';
import { DroppedCoordinator } from './dropped.coordinator.js';
import { LiveAgent } from './live.agent.js';
import { replaceMethod } from './replaced.method.js';
import type { Move, Phase, Role } from './stop.points.js';

/** A run that stands still for so long goes on no more. */
const STANDS_STILL_MS = 60_000;

/** Something that is done to a consortium at a moment of its run; done again when an instance was stopped in it. */
export interface Moment {
  when: (view: RunView, consortium: StoppedConsortium) => boolean;
  act: (consortium: StoppedConsortium) => unknown;
}

/** A coordinator and its agents, all real and in this process, of which any is stopped wherever the switch says so, and goes on in a new instance. */
export class StoppedConsortium {
  readonly coordinator = new DroppedCoordinator();
  readonly agents: LiveAgent[] = [];
  readonly recoverySeconds: number[] = [];
  /** Sites that do nothing for now: with `absent`, the coordinator has noticed. */
  readonly away = new Set<string>();
  readonly absent = new Set<string>();
  run = '';
  view!: RunView;
  #working: LiveAgent | undefined;
  readonly #deadJournals = new WeakSet<JournalDatabase>();
  /** When the run last got further. */
  #movedMs = 0;
  #stopped: (() => void) | undefined;
  /** Of the last stop, until the run has got further. */
  #recovering: { sinceMs: number; version: number } | undefined;

  constructor(private readonly stops: StopSwitch) {}

  async open(sites: readonly string[]): Promise<this> {
    await this.coordinator.start();
    for (const site of sites) this.agents.push(await LiveAgent.join(site, await this.coordinator.invite(site)));
    return this;
  }

  /** Makes this consortium the one whose instances are stopped. */
  watch(): void {
    this.#decidePresence();
    watchCoordinators({
      stops: (moves, phase) => this.#stopsCoordinator(moves, phase),
      isDead: (database) => this.coordinator.isDead(database),
    });
    watchAgents({
      stops: (journal, moves, phase) => this.#stopsAgent(journal, moves, phase),
      isDead: (journal) => this.#deadJournals.has(journal),
    });
  }

  /** The coordinator's word for who is absent is the scenario's, at once: how polls are missed is tested elsewhere. */
  #decidePresence(): void {
    const isAbsent = ({ site }: { site: string }) => this.absent.has(site);
    replaceMethod(Presence.prototype, 'absent', () => (members) => new Set(members.filter(isAbsent).map(({ site }) => site)));
  }

  agent(site: string): LiveAgent {
    return this.agents.find((agent) => agent.site === site)!;
  }

  /** Publishes the plan and launches a run of it. One consortium may play several, one after the other. */
  async launch(plan: string): Promise<void> {
    const before = await this.#runs();
    const launched = async () => (await this.#runs()).find((run) => !before.includes(run));
    // An instance that was stopped after its commit has launched it, and told nobody: asked again, it would launch another.
    await this.#act(async () => (await launched()) ?? this.coordinator.launch(plan));
    this.run = (await launched())!;
    this.away.clear();
    this.absent.clear();
    await this.#look();
  }

  /** Until the run is over and every site has closed it. @throws Error when it does not get there */
  async play(moments: readonly Moment[]): Promise<void> {
    const ahead = [...moments];
    this.#movedMs = performance.now();
    while (performance.now() - this.#movedMs < STANDS_STILL_MS) {
      for (const agent of this.agents) {
        if (!this.away.has(agent.site)) await this.#work(agent);
        await this.#rest();
        while (ahead[0]?.when(this.view, this)) {
          const { act } = ahead.shift()!;
          await this.#act(() => act(this));
          await this.#rest();
        }
      }
      if (ahead.length === 0 && isOver(this.view) && this.agents.every((agent) => this.away.has(agent.site) || agent.hasClosed(this.run)))
        return;
    }
    const { run, rounds } = this.view;
    const last = rounds.at(-1);
    throw new Error(
      `The run did not end: ${run.state} (${run.cause}), sum ${last?.sum} ${last?.kind} is ${last?.state}; ${ahead.length} moments did not come.`,
    );
  }

  async close(): Promise<void> {
    for (const agent of this.agents) agent.kill();
    await this.coordinator.remove();
  }

  async #work(agent: LiveAgent): Promise<void> {
    this.#working = agent;
    try {
      await agent.work();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      this.#recovering = { sinceMs: performance.now(), version: this.view.run.version };
      await agent.startAgain();
    } finally {
      this.#working = undefined;
    }
    await this.#revive();
  }

  /** Something that the operator does; again after every restart, until it is done by an instance that lives. */
  async #act(act: () => unknown): Promise<void> {
    for (;;) {
      const stopped = new Promise<'stopped'>((resolve) => (this.#stopped = () => resolve('stopped')));
      const done = Promise.resolve(act()).then(
        () => 'done' as const,
        (error: unknown) =>
          this.coordinator.isDown || (error as { code?: string }).code === 'run-over' ? ('done' as const) : Promise.reject(error as Error),
      );
      await Promise.race([done, stopped]);
      if (!(await this.#revive())) return;
    }
  }

  /** Lets the coordinator take all its steps, however often it is stopped in them. */
  async #rest(): Promise<void> {
    do {
      const stopped = new Promise<void>((resolve) => (this.#stopped = resolve));
      await Promise.race([this.coordinator.rest(this.run), stopped]);
    } while (await this.#revive());
    await this.#look();
  }

  async #look(): Promise<void> {
    const before = this.view as RunView | undefined;
    this.view = await this.coordinator.running.context.get(RunViews).load(this.run);
    if (this.view.run.version !== before?.run.version) this.#movedMs = performance.now();
    const recovering = this.#recovering;
    if (recovering === undefined || (this.view.run.version <= recovering.version && !isOver(this.view))) return;
    this.recoverySeconds.push((performance.now() - recovering.sinceMs) / 1000);
    this.#recovering = undefined;
  }

  /** @returns whether there was something to revive */
  async #revive(): Promise<boolean> {
    if (!this.coordinator.isDown) return false;
    this.#recovering = { sinceMs: performance.now(), version: this.run === '' ? 0 : (this.view?.run.version ?? 0) };
    await this.coordinator.startAgain();
    for (const agent of this.agents) agent.reconnect();
    return true;
  }

  async #runs(): Promise<string[]> {
    return (await this.coordinator.running.context.get(RunViews).all()).map((view) => view.run.run);
  }

  #stopsCoordinator(moves: readonly Move[], phase: Phase): boolean {
    if (this.stops.stopsAt('coordinator', moves, phase).length === 0) return false;
    this.coordinator.drop();
    this.#stopped?.();
    return true;
  }

  #stopsAgent(journal: JournalDatabase, moves: readonly Move[], phase: Phase): boolean {
    const agent = this.#working;
    if (agent === undefined || this.stops.stopsAt(this.#roleOf(agent.site), moves, phase).length === 0) return false;
    this.#deadJournals.add(journal);
    return true;
  }

  #roleOf(site: string): Role {
    return this.view.epoch.roster.keyHolders.some((holder) => holder.site === site) ? 'key holder' : 'contributor';
  }
}
