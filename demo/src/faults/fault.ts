import type { ProgramEvent } from '../processes/index.js';
import type { RoundView } from '../run/run.view.js';

/** Something that goes wrong on purpose. It sees what the demo sees and acts once. */
export interface Fault {
  agentEvent(site: string, event: ProgramEvent): void;
  roundMoved(round: RoundView): void;
  /** Resolves when everything that this fault does at the moment is done; rejects when it could not be done. */
  settled(): Promise<void>;
}

export class NoFault implements Fault {
  agentEvent(): void {}
  roundMoved(): void {}
  settled(): Promise<void> {
    return Promise.resolve();
  }
}
