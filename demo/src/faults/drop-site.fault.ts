import type { ProgramEvent } from '../processes/index.js';
import type { RoundView } from '../run/run.view.js';
import type { Fault } from './fault.js';

export interface DroppedSite {
  readonly site: string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  serve(): Promise<void>;
}

/** How many training rounds open before the site comes back. */
export const ROUNDS_AWAY = 2;

/** A site's machine loses power in mid-training and is started again two rounds later. */
export class DropSiteFault implements Fault {
  private state: 'waiting' | 'away' | 'back' = 'waiting';
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly dropped: DroppedSite,
    /** Training round in which the site dies. */
    private readonly atRound: number,
    private readonly tell: (text: string) => void,
  ) {}

  agentEvent(site: string, event: ProgramEvent): void {
    const trains = event['event'] === 'instruction' && event['kind'] === 'prepareSum' && event['round'] === this.atRound;
    if (this.state !== 'waiting' || site !== this.dropped.site || !trains) return;
    this.state = 'away';
    this.tell(`fault: ${site} is killed while it trains for round ${this.atRound}`);
    this.begin(this.dropped.kill());
  }

  roundMoved(round: RoundView): void {
    if (this.state !== 'away' || round.kind !== 'update' || round.round < this.atRound + ROUNDS_AWAY) return;
    this.state = 'back';
    this.tell(`fault: ${this.dropped.site} is started again in round ${round.round}`);
    this.begin(this.work.then(() => this.dropped.serve()));
  }

  settled(): Promise<void> {
    return this.work;
  }

  private begin(work: Promise<void>): void {
    this.work = work;
    // Whoever awaits `settled` gets the failure; until then it is not unhandled.
    work.catch(() => undefined);
  }
}
