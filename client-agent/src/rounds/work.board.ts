import { RunTurns } from './run.turns.js';
import type { Outcome } from './site.context.js';

/**
 * Work of one lane is done one after the other, lanes beside each other: a long training never holds up a signature. Within a lane the runs take turns, so a run
 * with much to do never holds up another; of one run, the order is the coordinator's.
 */
export type Lane = 'training' | 'protocol';

export interface WorkItem {
  /** Names the request; the same id is the same request. */
  id: string;
  /** Empty where no run can be read out of it. */
  run: string;
  lane: Lane;
  work(): Promise<Outcome>;
  /** Told once about every waiting or failure. */
  settled(result: Outcome | { outcome: 'failed'; error: unknown }): void;
}

interface Entry {
  item: WorkItem;
  order: number;
  running: boolean;
  waiting: boolean;
  doneAtMs: number | null;
  notBeforeMs: number;
  failures: number;
}

/** How far the requests of a lane are. */
export type WorkCounts = Record<Lane, Record<'due' | 'running' | 'waiting' | 'failed', number>>;

const LANES: readonly Lane[] = ['protocol', 'training'];

const WAIT_AGAIN_MS = 500;
const FIRST_RETRY_MS = 500;
const MOST_RETRY_MS = 15_000;

/**
 * What is owed and how far it is. A request leaves the board when the coordinator no longer owes it; one that was carried out and is
 * listed by a later poll is carried out again, because its answer may have been lost.
 */
export class WorkBoard {
  readonly #entries = new Map<string, Entry>();
  readonly #busy = new Set<Lane>();
  readonly #turns = new RunTurns();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #abandoned = false;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** @param polledAtMs when the poll that brought this list was sent, by the clock of this board: `performance.now()` */
  offer(items: readonly WorkItem[], polledAtMs: number): void {
    const listed = new Set(items.map((item) => item.id));
    for (const [id, entry] of this.#entries) if (!listed.has(id) && !entry.running) this.#entries.delete(id);
    items.forEach((item, order) => {
      const known = this.#entries.get(item.id);
      if (known === undefined) {
        this.#entries.set(item.id, { item, order, running: false, waiting: false, doneAtMs: null, notBeforeMs: 0, failures: 0 });
        return;
      }
      known.order = order;
      if (known.doneAtMs !== null && polledAtMs > known.doneAtMs) {
        known.doneAtMs = null;
        known.failures += 1;
        known.notBeforeMs = this.now() + retryMs(known.failures);
      }
    });
    this.#pump();
  }

  /** Nothing new is started; what runs may end. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Nobody is told any more what becomes of work that still runs: what it would be written into is about to be closed. */
  abandon(): void {
    this.stop();
    this.#abandoned = true;
  }

  get idle(): boolean {
    return this.#busy.size === 0;
  }

  /** What was carried out is not counted: it leaves with the next poll. */
  get counts(): WorkCounts {
    const none = () => ({ due: 0, running: 0, waiting: 0, failed: 0 });
    const counts: WorkCounts = { protocol: none(), training: none() };
    for (const { item, running, waiting, doneAtMs, failures } of this.#entries.values()) {
      if (doneAtMs !== null) continue;
      const state = running ? 'running' : waiting ? 'waiting' : failures > 0 ? 'failed' : 'due';
      counts[item.lane][state] += 1;
    }
    return counts;
  }

  #pump(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    const open = [...this.#entries.values()].filter((entry) => !entry.running && entry.doneAtMs === null).sort((a, b) => a.order - b.order);
    for (const lane of LANES) {
      const ready = open.filter((entry) => entry.item.lane === lane && entry.notBeforeMs <= this.now());
      const next = this.#turns.next(ready, lane);
      if (next !== undefined && !this.#busy.has(lane)) void this.#carryOut(next);
    }
    const later = open.filter((entry) => !entry.running).map((entry) => entry.notBeforeMs);
    if (later.length > 0) this.#timer = setTimeout(() => this.#pump(), Math.max(20, Math.min(...later) - this.now()));
  }

  async #carryOut(entry: Entry): Promise<void> {
    const { lane, run } = entry.item;
    this.#turns.taken(lane, run);
    entry.running = true;
    this.#busy.add(lane);
    try {
      const result = await entry.item.work();
      entry.waiting = result.outcome !== 'done';
      if (entry.waiting) entry.notBeforeMs = this.now() + WAIT_AGAIN_MS;
      else this.#finish(entry);
      this.#tell(entry.item, result);
    } catch (error) {
      entry.failures += 1;
      entry.notBeforeMs = this.now() + retryMs(entry.failures);
      this.#tell(entry.item, { outcome: 'failed', error });
    } finally {
      entry.running = false;
      this.#busy.delete(lane);
      this.#pump();
    }
  }

  #tell(item: WorkItem, result: Parameters<WorkItem['settled']>[0]): void {
    if (!this.#abandoned) item.settled(result);
  }

  /** What has waited may go on now: it often waits for exactly this. */
  #finish(entry: Entry): void {
    entry.doneAtMs = this.now();
    for (const other of this.#entries.values()) if (other.waiting) other.notBeforeMs = 0;
  }
}

function retryMs(failures: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), MOST_RETRY_MS);
}
