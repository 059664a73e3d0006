import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchRunResponse } from '@coferment/proto';
import type { TcpRelay } from '../../../client-agent/src/testing/tcp.relay.fixture.js';
import type { ProgramEvent } from '../../../demo/src/processes/index.js';
import { type Act, type Fault, type FaultSchedule, faultText, type Site, type Trigger, type Victim } from './fault.schedule.js';
import type { ScheduleStage } from './schedule.stage.js';

/** What can be struck. A stage of real processes, or a script in tests of the player. */
export type Struck = Pick<ScheduleStage, 'start' | 'kill' | 'freeze'>;

/** Plays one schedule: sees what the run does, and does each fault once when its moment has come. */
export class SchedulePlayer {
  /** What happened, in order, for whoever reads a violation. */
  readonly log: string[] = [];
  /** Milliseconds from each new start to the next step of the run. */
  readonly recoveriesMs: number[] = [];
  readonly #pending: Set<Fault>;
  readonly #counts = new Map<string, number>();
  readonly #acts = new Set<Promise<void>>();
  readonly #restarts = new Set<number>();
  /** Killed and not started again yet, each by one fault: two would start it twice. */
  readonly #down = new Set<Victim>();
  readonly #startedMs = Date.now();
  #failure: unknown;

  constructor(
    schedule: FaultSchedule,
    private readonly struck: Struck,
    private readonly lines: ReadonlyMap<Site, Pick<TcpRelay, 'refuse' | 'silence' | 'restore' | 'delay'>>,
  ) {
    this.#pending = new Set(schedule.faults);
  }

  /** Faults whose moment never came: the run had ended, or took another way. */
  get unplayed(): readonly Fault[] {
    return [...this.#pending];
  }

  begun(): void {
    this.#strike((when) => when.on === 'beginning');
  }

  /** Everything that an agent prints. */
  siteTold(site: Site, event: ProgramEvent): void {
    const word = event['event'];
    if (word !== 'instruction' && word !== 'sent') return;
    const on = word === 'sent' ? 'sent' : 'asked';
    const what = String(on === 'sent' ? event['name'] : event['kind']);
    const nth = this.#count(`${site} ${on} ${what}`);
    this.#strike((when) => (when.on === 'asked' || when.on === 'sent') && isAbout(when, on, site, what) && when.nth === nth);
  }

  /** Everything that the run does. */
  runMoved({ type, state, round }: WatchRunResponse): void {
    const nowMs = Date.now();
    for (const startedMs of this.#restarts) this.recoveriesMs.push(nowMs - startedMs);
    this.#restarts.clear();
    if (type !== 'round-state' || round === undefined) return;
    this.#strike((when) => when.on === 'sum' && when.kind === round.kind && when.round === round.round && when.state === state);
  }

  /** Resolves when nothing of what was begun is under way any more: everybody is back, every line is whole. @throws what a start failed with */
  async settled(): Promise<void> {
    while (this.#acts.size > 0) await Promise.all(this.#acts);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #count(what: string): number {
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return count;
  }

  #strike(fits: (when: Trigger) => boolean): void {
    for (const fault of this.#pending) {
      if (!fits(fault.when)) continue;
      this.#pending.delete(fault);
      const act = sleep(fault.afterMs)
        .then(() => {
          this.#note(faultText(fault));
          return this.#perform(fault.what);
        })
        .catch((error: unknown) => {
          this.#failure ??= error;
        })
        .finally(() => this.#acts.delete(act));
      this.#acts.add(act);
    }
  }

  async #perform(what: Act): Promise<void> {
    switch (what.act) {
      case 'kill':
        await Promise.all(what.whom.map((whom) => this.#kill(whom, what.downMs)));
        return;
      case 'kill-in-start':
        await this.#killInStart(what);
        return;
      case 'freeze': {
        const thaw = this.struck.freeze(what.whom);
        await sleep(what.forMs);
        thaw();
        return;
      }
      case 'cut': {
        const line = this.lines.get(what.site)!;
        if (what.how === 'reset') line.refuse();
        else line.silence();
        await sleep(what.forMs);
        line.restore();
        return;
      }
      case 'delay': {
        const line = this.lines.get(what.site)!;
        line.delay(what.delayMs);
        await sleep(what.forMs);
        line.delay(0);
      }
    }
  }

  async #kill(whom: Victim, downMs: number): Promise<void> {
    await this.#whileDown(whom, async () => {
      await this.struck.kill(whom);
      await sleep(downMs);
    });
  }

  async #killInStart({ whom, downMs, againMs }: Extract<Act, { act: 'kill-in-start' }>): Promise<void> {
    await this.#whileDown(whom, async () => {
      await this.struck.kill(whom);
      await sleep(downMs);
      const started = this.struck.start(whom);
      await sleep(againMs);
      await this.struck.kill(whom);
      await started;
    });
  }

  async #whileDown(whom: Victim, work: () => Promise<void>): Promise<void> {
    if (this.#down.has(whom)) {
      this.#note(`${whom} is down already`);
      return;
    }
    this.#down.add(whom);
    await work();
    this.#note(`${whom} is started again`);
    this.#restarts.add(Date.now());
    // From here on it may be struck again, also while it starts.
    this.#down.delete(whom);
    await this.struck.start(whom);
  }

  #note(text: string): void {
    this.log.push(`${((Date.now() - this.#startedMs) / 1000).toFixed(2)} s: ${text}`);
  }
}

const isAbout = (when: Extract<Trigger, { on: 'asked' | 'sent' }>, on: string, site: Site, what: string): boolean =>
  when.on === on && when.site === site && (when.on === 'sent' ? when.name : when.kind) === what;
