import type { RoundView } from '../run/run.view.js';
import type { Fault } from './fault.js';

export interface KilledCoordinator {
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  restart(): Promise<unknown>;
}

/** The coordinator is killed while encrypted updates arrive, and started again on the same folder. */
export class KillCoordinatorFault implements Fault {
  private done = false;
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly coordinator: KilledCoordinator,
    /** Training round in which it dies. */
    private readonly atRound: number,
    private readonly tell: (text: string) => void,
  ) {}

  agentEvent(): void {}

  roundMoved(round: RoundView): void {
    if (this.done || round.kind !== 'update' || round.round !== this.atRound || round.state !== 'uploading') return;
    this.done = true;
    this.tell(`fault: the coordinator is killed while updates of round ${round.round} arrive`);
    this.work = this.again(round.round);
    // Whoever awaits `settled` gets the failure; until then it is not unhandled.
    this.work.catch(() => undefined);
  }

  settled(): Promise<void> {
    return this.work;
  }

  private async again(round: number): Promise<void> {
    await this.coordinator.kill();
    await this.coordinator.restart();
    this.tell(`fault: the coordinator is back and goes on with round ${round}`);
  }
}
