import type { FaultName } from '../cli/demo.options.js';
import { DemoError } from '../errors/index.js';
import { DropSiteFault, type DroppedSite, ROUNDS_AWAY } from './drop-site.fault.js';
import { type Fault, NoFault } from './fault.js';
import { type KilledCoordinator, KillCoordinatorFault } from './kill-coordinator.fault.js';

export interface FaultStage {
  readonly rounds: number;
  /** In the order of the roster. */
  readonly agents: readonly DroppedSite[];
  readonly coordinator: KilledCoordinator;
  readonly tell: (text: string) => void;
}

/** How many sites may be away while the others sign and open a sum. */
export interface Absences {
  readonly sites: number;
  readonly bearable: number;
}

/**
 * Refuses a fault that the consortium cannot bear, before anything is started.
 * @throws DemoError 'bad-option' with the numbers.
 */
export function requireBearable(fault: FaultName, rounds: number, { sites, bearable }: Absences): void {
  if (fault !== 'drop-site') return;
  if (bearable < 1) {
    throw new DemoError(
      'bad-option',
      `--fault drop-site needs a consortium that can do without one site; with ${sites} sites every one must sign each round. Use at least 4 sites.`,
    );
  }
  if (rounds <= ROUNDS_AWAY) {
    throw new DemoError(
      'bad-option',
      `--fault drop-site needs at least ${ROUNDS_AWAY + 1} rounds, because the site comes back two rounds later; this run has ${rounds}.`,
    );
  }
}

export function chooseFault(name: FaultName, stage: FaultStage): Fault {
  switch (name) {
    case 'none':
      return new NoFault();
    case 'drop-site': {
      const dropped = stage.agents[Math.floor(stage.agents.length / 2)];
      if (dropped === undefined) throw new DemoError('bad-option', 'There is no site to drop.');
      return new DropSiteFault(dropped, Math.max(1, Math.min(3, stage.rounds - ROUNDS_AWAY)), stage.tell);
    }
    case 'kill-coordinator':
      return new KillCoordinatorFault(stage.coordinator, Math.ceil(stage.rounds / 2), stage.tell);
  }
}
