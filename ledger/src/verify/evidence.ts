import { MOST_EPOCHS, type Predicate, type PredicateName } from '@coferment/consortium';
import { FactIndex } from './fact.index.js';
import { SumWords, isWord } from './sum.words.js';

/** A statement of the log whose signature was verified under the key that its signer had at that time. */
export type Recorded<N extends PredicateName = PredicateName> = {
  /** `publicKey`: hex, the key that signed it. */
  [M in N]: { index: number; name: M; predicate: Predicate<M>; digest: string; publicKey: string };
}[N];

/** What a sum that has no result yet still needs. */
interface OpenSum {
  frozen: Recorded<'round-frozen'> | undefined;
  uploads: Recorded<'contribution'>[];
  attestations: Map<string, Recorded<'attestation'>>;
  shares: Map<string, Recorded<'share'>>;
}

interface RunEvidence {
  opened: Recorded<'run-opened'> | undefined;
  isClosed: boolean;
  epochs: Map<number, Recorded<'key-epoch'>>;
  openSums: Map<number, OpenSum>;
}

/** What was signed towards a key epoch that is not in the log yet. */
interface EpochActs {
  dealings: Map<string, Recorded<'dealing'>>;
  rosterApproved: Set<string>;
  acknowledged: Set<string>;
  agreed: Set<string>;
}

/**
 * What the log proves up to one entry, ready to be looked up: whatever an act names must be in here, so it stands before the act. Statements that did not
 * verify are not in here: they are evidence of nothing. What nothing can need any more is forgotten, so a sum with its result takes a few dozen bytes.
 */
export class Evidence {
  /** What stays known for ever, so that a later contradiction is found: freezes, sets, results, published plans. */
  readonly facts = new FactIndex();
  readonly words = new SumWords(this.facts);
  readonly #runs = new Map<string, RunEvidence>();
  readonly #approvals = new Map<string, Recorded<'plan-approved'>[]>();
  readonly #epochActs = new Map<string, EpochActs>();

  run(run: string): Recorded<'run-opened'> | undefined {
    return this.#runs.get(run)?.opened;
  }

  epoch(run: string, epoch: number): Recorded<'key-epoch'> | undefined {
    return this.#runs.get(run)?.epochs.get(epoch);
  }

  /** The first key epoch of a run, whose n, c and ρ rule all of them: a smaller later roster must not make certificates cheaper. */
  firstEpoch(run: string): Recorded<'key-epoch'> | undefined {
    return this.#runs.get(run)?.epochs.values().next().value;
  }

  /** The key epoch of a run that has this E, if there is one. */
  epochOf(run: string, e: string): Recorded<'key-epoch'> | undefined {
    for (const epoch of this.#runs.get(run)?.epochs.values() ?? []) if (epoch.predicate.e === e) return epoch;
    return undefined;
  }

  /** Whether the site approved the run with this key: whoever has joined under its name since is somebody else. */
  isOwnKey(run: string, site: string, publicKey: string): boolean {
    return this.facts.has(`approved ${run} ${site} ${publicKey}`);
  }

  /** Approvals of one run of a plan, before it was opened. */
  approvals(plan: string, ordinal: number): readonly Recorded<'plan-approved'>[] {
    return this.#approvals.get(`${plan} ${ordinal}`) ?? [];
  }

  /** What was signed towards the key epoch E0, before the log says that it is agreed. */
  epochActs(e0: string): Readonly<EpochActs> {
    return this.#epochActs.get(e0) ?? noActs();
  }

  /** What is at hand for a sum, until it has its result. */
  openSum(run: string, sum: number): Readonly<OpenSum> | undefined {
    return this.#runs.get(run)?.openSums.get(sum);
  }

  isFrozen(run: string, sum: number): boolean {
    return this.facts.has(frozenFact(run, sum));
  }

  isFrozenAs(run: string, sum: number, k: string, t: string): boolean {
    return this.facts.has(`${frozenFact(run, sum)} ${k} ${t}`);
  }

  isEvaluated(run: string, sum: number, metric: string): boolean {
    return this.facts.has(`evaluated ${run} ${sum} ${metric}`);
  }

  /** Whether the model that a sum started from is the one of this round. */
  startedAfterRound(run: string, sum: number, round: number): boolean {
    return this.facts.has(`${resultFact(run, sum)} after round ${round}`);
  }

  hasResult(run: string, sum: number): boolean {
    return this.facts.has(resultFact(run, sum));
  }

  wasTakenOn(run: string, sum: number, model: string): boolean {
    return this.facts.has(`${resultFact(run, sum)} ${model}`);
  }

  isPublished(plan: string): boolean {
    return this.facts.has(`plan ${plan}`);
  }

  /** Takes in a statement that all checks have looked at. */
  take(recorded: Recorded): void {
    if (isWord(recorded)) this.words.take(recorded);
    switch (recorded.name) {
      case 'plan-published':
        this.facts.note(`plan ${recorded.predicate.plan}`, recorded.index);
        return;
      case 'plan-approved':
      case 'run-opened':
      case 'run-closed':
        return this.#takeOfRun(recorded);
      case 'dealing':
      case 'roster-approved':
      case 'dealing-ack':
      case 'epoch-agreed':
      case 'key-epoch':
        return this.#takeOfEpoch(recorded);
      case 'contribution':
      case 'round-frozen':
      case 'attestation':
      case 'share':
      case 'aggregate':
      case 'round-abandoned':
        return this.#takeOfSum(recorded);
      case 'evaluation': {
        const { run, sum, metric } = recorded.predicate;
        this.facts.note(`evaluated ${run} ${sum} ${metric}`, recorded.index);
        return;
      }
      // What no later act names.
      case 'consortium-founded':
      case 'site-enrolled':
      case 'site-revoked':
      case 'site-left':
      case 'auditor-enrolled':
      case 'auditor-revoked':
      case 'charter':
      case 'witness-key':
      case 'authorities':
      case 'sealing-key':
      case 'dealing-refused':
      case 'epoch-left':
      case 'instruction-refused':
      case 'nonce':
      case 'attempt-declined':
      case 'round-garbled':
      case 'round-stuck':
      case 'new-set-proposed':
      case 'new-set-approved':
      case 'run-paused':
      case 'run-resumed':
      case 'deadline-extended':
      case 'site-readmitted':
      case 'model-released':
        return;
    }
  }

  #takeOfRun(recorded: Recorded<'plan-approved' | 'run-opened' | 'run-closed'>): void {
    switch (recorded.name) {
      case 'plan-approved': {
        const { plan, ordinal } = recorded.predicate;
        const key = `${plan} ${ordinal}`;
        if (this.facts.has(`opened ${key}`)) return;
        const known = this.#approvals.get(key);
        if (known === undefined) this.#approvals.set(key, [recorded]);
        else known.push(recorded);
        return;
      }
      case 'run-opened': {
        const { run, plan, ordinal } = recorded.predicate;
        if (this.run(run) === undefined) this.#noteKeys(recorded);
        this.#run(run).opened ??= recorded;
        this.facts.note(`opened ${plan} ${ordinal}`, recorded.index);
        this.#approvals.delete(`${plan} ${ordinal}`);
        return;
      }
      case 'run-closed': {
        const run = this.#run(recorded.predicate.run);
        run.isClosed = true;
        run.openSums.clear();
      }
    }
  }

  #takeOfEpoch(recorded: Recorded<'dealing' | 'roster-approved' | 'dealing-ack' | 'epoch-agreed' | 'key-epoch'>): void {
    const { e0, run } = recorded.predicate;
    if (recorded.name === 'key-epoch') {
      const { epochs } = this.#run(run);
      const number = recorded.predicate.epoch;
      // No run has more, so whoever looks for one of them never looks through many.
      if (!epochs.has(number) && number <= MOST_EPOCHS) epochs.set(number, recorded);
      this.facts.note(`agreed ${e0}`, recorded.index);
      this.#epochActs.delete(e0);
      return;
    }
    if (this.facts.has(`agreed ${e0}`)) return;
    const acts = this.#epochActs.get(e0) ?? noActs();
    this.#epochActs.set(e0, acts);
    switch (recorded.name) {
      case 'dealing':
        acts.dealings.set(recorded.digest, recorded);
        return;
      case 'roster-approved':
        acts.rosterApproved.add(`${recorded.predicate.roster} ${recorded.predicate.site}`);
        return;
      case 'dealing-ack':
        acts.acknowledged.add(`${recorded.predicate.dealing} ${recorded.predicate.dealer} ${recorded.predicate.site}`);
        return;
      case 'epoch-agreed':
        acts.agreed.add(`${recorded.predicate.e} ${recorded.predicate.site}`);
    }
  }

  /** Each site has the key of its first approval of the run, for as long as the run lasts. */
  #noteKeys({ predicate: { run, plan, ordinal, sites } }: Recorded<'run-opened'>): void {
    const noted = new Set<string>();
    for (const { predicate, publicKey, index } of this.approvals(plan, ordinal)) {
      if (noted.has(predicate.site) || !sites.includes(predicate.site)) continue;
      noted.add(predicate.site);
      this.facts.note(`approved ${run} ${predicate.site} ${publicKey}`, index);
    }
  }

  #takeOfSum(recorded: Recorded<'contribution' | 'round-frozen' | 'attestation' | 'share' | 'aggregate' | 'round-abandoned'>): void {
    const { run } = recorded.predicate;
    switch (recorded.name) {
      case 'contribution': {
        const { sum } = recorded.predicate;
        // After the freeze nothing can count it any more.
        if (!this.isFrozen(run, sum)) this.#open(run, sum)?.uploads.push(recorded);
        return;
      }
      case 'round-abandoned': {
        const { sum } = recorded.predicate;
        const open = this.openSum(run, sum);
        if (open && !open.frozen) this.#run(run).openSums.delete(sum);
        return;
      }
      case 'round-frozen': {
        const { sum, k, t } = recorded.predicate;
        if (this.isFrozen(run, sum)) return;
        this.facts.note(frozenFact(run, sum), recorded.index);
        this.facts.note(`${frozenFact(run, sum)} ${k} ${t}`, recorded.index);
        const open = this.#open(run, sum);
        if (open) Object.assign(open, { frozen: recorded, uploads: [] });
        return;
      }
      case 'attestation':
        for (const { sum } of recorded.predicate.sums) this.#open(run, sum)?.attestations.set(recorded.digest, recorded);
        return;
      case 'share':
        this.#open(run, recorded.predicate.sum)?.shares.set(recorded.digest, recorded);
        return;
      case 'aggregate': {
        const { sum, kind, round, modelIn } = recorded.predicate;
        this.facts.note(resultFact(run, sum), recorded.index);
        // Every sum tells the error of the model that it starts from: of a training sum that is the one which the round before has left.
        this.facts.note(`${resultFact(run, sum)} after round ${kind === 'update' ? round - 1 : round}`, recorded.index);
        this.facts.note(`${resultFact(run, sum)} ${modelIn}`, recorded.index);
        this.#run(run).openSums.delete(sum);
      }
    }
  }

  #run(run: string): RunEvidence {
    const known = this.#runs.get(run) ?? { opened: undefined, isClosed: false, epochs: new Map(), openSums: new Map() };
    this.#runs.set(run, known);
    return known;
  }

  /** Nothing is kept for a sum that has its result, or of a run that is over: late attestations and shares are looked at and forgotten. */
  #open(run: string, sum: number): OpenSum | undefined {
    const { isClosed, openSums } = this.#run(run);
    if (isClosed || this.hasResult(run, sum)) return undefined;
    const known = openSums.get(sum) ?? { frozen: undefined, uploads: [], attestations: new Map(), shares: new Map() };
    openSums.set(sum, known);
    return known;
  }
}

const frozenFact = (run: string, sum: number) => `frozen ${run} ${sum}`;
const resultFact = (run: string, sum: number) => `result ${run} ${sum}`;

function noActs(): EpochActs {
  return { dealings: new Map(), rosterApproved: new Set(), acknowledged: new Set(), agreed: new Set() };
}

/** The first id that is not strictly larger than the one before it, if any. */
export function unsorted(ids: readonly string[]): string | undefined {
  return ids.find((id, position) => position > 0 && ids[position - 1]! >= id);
}
