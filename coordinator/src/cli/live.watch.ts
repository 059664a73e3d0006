import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { ServiceError } from '@grpc/grpc-js';
import type { GetLedgerStatusResponse, RunStatus, WatchRunResponse } from '@coferment/proto';
import { CoordinatorError } from '../errors/index.js';
import type { LiveState } from './live.view.js';
import { refusal } from './operator.client.js';
import { eventText } from './run.text.js';

/** Where the view gets what it shows. */
export interface LiveSource {
  run(): Promise<RunStatus | undefined>;
  ledger(): Promise<GetLedgerStatusResponse>;
  /** Ends when the run is over. */
  events(after: number): AsyncIterable<WatchRunResponse>;
}

const REPAINT_MS = 1000;
const KEPT_EVENTS = 20;

/**
 * Repaints at every event and once a second, until the run is over. A coordinator that is stopped or killed while somebody watches is waited for: its run goes
 * on when it is back, and so does the view. Only the first answer must come.
 */
export class LiveWatch {
  #run: RunStatus | undefined;
  #ledger: GetLedgerStatusResponse | undefined;
  #events: string[] = [];
  #problem = '';
  #reading: Promise<void> | undefined;
  #isStale = false;
  #refused: unknown;
  readonly #over = new AbortController();

  constructor(
    private readonly source: LiveSource,
    private readonly paint: (state: LiveState) => void,
    private readonly now: () => number = Date.now,
  ) {}

  /** @returns the state that the run came to. @throws CoordinatorError 'unreachable' only before the first answer; every other code at any time */
  async follow(after: number): Promise<string> {
    await this.#readOnce();
    this.#repaint();
    const ticking = this.#tick();
    try {
      await Promise.race([this.#followEvents(after), ticking]);
      await this.#reading?.catch(() => undefined);
      await this.#tolerate(() => this.#readOnce());
      this.#repaint();
    } finally {
      // Nothing that is still being asked may draw over what is left on the screen.
      this.#over.abort();
      await ticking.catch(() => undefined);
    }
    return this.#run?.state ?? '';
  }

  async #followEvents(after: number): Promise<void> {
    let last = after;
    const toTheEnd = async () => {
      for await (const event of this.source.events(last)) {
        last = event.sequence;
        this.#events = [...this.#events, stripVTControlCharacters(eventText(event))].slice(-KEPT_EVENTS);
        this.#refresh();
      }
    };
    while (!(await this.#tolerate(toTheEnd)) && !this.#over.signal.aborted) await this.#pause();
  }

  /** Rejects when reading is refused; resolves only when the run is over. A coordinator that takes long to answer does not stop the clock on the screen. */
  async #tick(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#pause();
      if (this.#over.signal.aborted) return;
      this.#repaint();
      if (this.#refused !== undefined) throw this.#refused;
      this.#refresh();
    }
  }

  /** Many events of the past come at once: there is one reading for as many as came while the last one was under way. */
  #refresh(): void {
    this.#read().then(
      () => this.#repaint(),
      (error: unknown) => {
        this.#refused = error;
      },
    );
  }

  /** One reading at a time; whoever asks while one is under way gets another after it. */
  #read(): Promise<void> {
    if (this.#reading !== undefined) {
      this.#isStale = true;
      return this.#reading;
    }
    this.#reading = this.#readWhileStale().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readWhileStale(): Promise<void> {
    do {
      this.#isStale = false;
      await this.#tolerate(() => this.#readOnce());
    } while (this.#isStale && this.#problem === '');
  }

  async #readOnce(): Promise<void> {
    const [run, ledger] = await Promise.all([this.source.run(), this.source.ledger()]);
    this.#run = run ?? this.#run;
    this.#ledger = ledger;
    this.#problem = '';
  }

  /** @returns false when the coordinator did not answer, which is then said on the screen */
  async #tolerate(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const refused = error instanceof CoordinatorError ? error : refusal(error as ServiceError);
      if (refused.code !== 'unreachable') throw refused;
      this.#problem = 'The coordinator does not answer. It is asked again every second; Ctrl-C ends the view and not the run.';
      return false;
    }
  }

  async #pause(): Promise<void> {
    await sleep(REPAINT_MS, undefined, { signal: this.#over.signal }).catch(() => undefined);
  }

  #repaint(): void {
    if (this.#run === undefined || this.#over.signal.aborted) return;
    this.paint({ run: this.#run, ledger: this.#ledger, events: this.#events, problem: this.#problem, nowMs: this.now() });
  }
}
