import type { RoundStatus, RunStatus } from '@coferment/proto';
import { type Patience, SITES } from './fault.schedule.js';

/** States in which a set was fixed: everybody is named, counted or with a reason. */
const NAMED = ['frozen', 'attesting', 'decrypting', 'applying', 'closed', 'abandoned', 'garbled', 'stuck'];

/** What the operator's view of an ended run says that it must not, or does not say that it must. */
export function accountFaults(run: RunStatus, patience: Patience, rounds: number): string[] {
  const closed = run.rounds.filter(({ state }) => state === 'closed');
  const faults: string[] = [];
  if (run.state !== 'completed')
    faults.push(`the run is ${run.state}: ${run.cause} ${run.whatToDo} (waiting for ${run.waitingFor.join(', ')})`);
  for (const sum of run.rounds.filter(({ kind, state }) => kind !== 'confirm' && NAMED.includes(state))) faults.push(...namesFaults(sum));
  for (let round = 1; round <= rounds; round++) {
    const times = closed.filter((sum) => sum.kind === 'update' && sum.round === round).length;
    if (times !== 1) faults.push(`round ${round} was closed ${times} times`);
  }
  const numbers = run.rounds.map(({ sum }) => sum);
  if (new Set(numbers).size !== numbers.length) faults.push(`a number of a sum was given twice: ${numbers.join(', ')}`);
  if (patience === 'waiting')
    for (const { sum, kind, counted } of closed)
      if (kind !== 'confirm' && counted.length !== SITES.length)
        faults.push(`sum ${sum} counts ${counted.join(', ')}, though the run waits for all`);
  return faults;
}

function namesFaults({ sum, state, counted, excluded }: RoundStatus): string[] {
  const named = [...counted, ...excluded.map(({ site }) => site)].sort();
  return named.join() === SITES.join() ? [] : [`sum ${sum} is ${state} and names ${named.join(', ')} instead of each site once`];
}

/**
 * The models of all runs by the sets that they counted: training is seeded, so that equal sets must give equal models, whatever went wrong in between.
 * The first run of each set, the reference without faults before all, says which.
 */
export class ModelBook {
  readonly #models = new Map<string, { model: string; of: string }>();

  /** @returns what differs, or nothing */
  enter(of: string, plan: string, run: RunStatus): string[] {
    const counted = run.rounds.filter(({ kind, state }) => state === 'closed' && ['statistics', 'update'].includes(kind));
    const history = counted.sort((a, b) => a.sum - b.sum).map((sum) => `${sum.kind} ${sum.round} ${[...sum.counted].sort().join('+')}`);
    const key = `${plan}: ${history.join(', ')}`;
    const first = this.#models.get(key);
    if (first === undefined) this.#models.set(key, { model: run.model, of });
    return first === undefined || first.model === run.model
      ? []
      : [`the model is ${run.model}, but that of ${first.of} was ${first.model} from the same sets (${history.join(', ')})`];
  }
}
