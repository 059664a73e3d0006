import { MOST_EPOCHS } from '@coferment/consortium';
import type { Evidence, Recorded } from './evidence.js';
import type { ProblemList } from './problem.list.js';

interface EpochSums {
  readonly epoch: Recorded<'key-epoch'>;
  /** The sum that confirmed the key of each site. */
  readonly confirmed: Map<string, number>;
  /** Smallest number of a sum with a result that confirms no key. */
  firstOther: number;
  firstFrozen: number;
  lastFrozen: number;
}

/**
 * Over the key epochs of a run: each later one says why there is another, their sums follow each other, and in each every key was confirmed by a sum of
 * its own before anything else was opened with it (S4).
 */
export class EpochOrder {
  readonly #runs = new Map<string, Map<number, EpochSums>>();

  constructor(private readonly list: ProblemList) {}

  follow(recorded: Recorded, evidence: Evidence): void {
    if (recorded.name === 'key-epoch') this.#followEpoch(recorded);
    if (recorded.name === 'round-frozen') this.#followFreeze(recorded);
    if (recorded.name === 'aggregate') this.#followResult(recorded, evidence);
    if (recorded.name === 'run-closed') this.#runs.delete(recorded.predicate.run);
  }

  #followEpoch(epoch: Recorded<'key-epoch'>): void {
    const { run, epoch: number, leftOut, renewal, keyHolders } = epoch.predicate;
    this.list.require(
      (renewal === undefined) === (number === 1),
      epoch,
      `key epoch ${number} ${number === 1 ? 'renews none' : 'does not say why there is another'}`,
    );
    for (const site of renewal?.leftOut ?? [])
      this.list.require(leftOut.includes(site), epoch, `it says that "${site}" is left out, and lists its dealing`);
    for (const site of renewal?.replaced ?? [])
      this.list.require(!keyHolders.includes(site), epoch, `it says that "${site}" is replaced as key holder, and lists it as one`);
    this.list.require(number <= MOST_EPOCHS, epoch, `a run has at most ${MOST_EPOCHS} key epochs`);
    const epochs = this.#runs.get(run) ?? new Map<number, EpochSums>();
    // Every freeze is compared with each of them.
    if (epochs.has(number) || number > MOST_EPOCHS) return;
    epochs.set(number, { epoch, confirmed: new Map(), firstOther: Infinity, firstFrozen: Infinity, lastFrozen: 0 });
    this.#runs.set(run, epochs);
  }

  #followFreeze(frozen: Recorded<'round-frozen'>): void {
    const { run, epoch: number, sum } = frozen.predicate;
    const epochs = this.#runs.get(run);
    for (const [other, { firstFrozen, lastFrozen }] of epochs ?? []) {
      if (other < number && sum <= lastFrozen)
        this.list.add(frozen, `sum ${sum} of key epoch ${number} does not come after sum ${lastFrozen} of an earlier one`);
      if (other > number && sum >= firstFrozen)
        this.list.add(frozen, `sum ${sum} of key epoch ${number} does not come before sum ${firstFrozen} of a later one`);
    }
    const own = epochs?.get(number);
    if (!own) return;
    own.firstFrozen = Math.min(own.firstFrozen, sum);
    own.lastFrozen = Math.max(own.lastFrozen, sum);
  }

  #followResult(aggregate: Recorded<'aggregate'>, evidence: Evidence): void {
    const { run, epoch: number, kind, sum } = aggregate.predicate;
    const own = this.#runs.get(run)?.get(number);
    if (!own) return;
    if (kind === 'confirm') {
      const site = evidence.openSum(run, sum)?.frozen?.predicate.counted[0]?.site;
      if (site !== undefined) own.confirmed.set(site, sum);
      return;
    }
    if (sum >= own.firstOther) return;
    own.firstOther = sum;
    for (const { site } of own.epoch.predicate.dealings)
      this.list.require(
        (own.confirmed.get(site) ?? sum) < sum,
        own.epoch,
        `sum ${sum} is opened with the key of "${site}", which no confirm sum has confirmed`,
      );
  }
}
