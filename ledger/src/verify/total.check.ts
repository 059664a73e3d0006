import type { ContentCheck } from './content.check.js';
import type { Evidence, Recorded } from './evidence.js';
import { ProblemList } from './problem.list.js';
import { type Finding, type RunTotals, countOf } from './verification.report.js';

interface RunCount {
  rounds: number;
  /** Of every site of the run. */
  readonly updates: Map<string, number>;
  lastModel: string | undefined;
}

/** Who contributed how often, counted from the opened sums; and what a closed run says about itself is what can be counted. */
export class TotalCheck implements ContentCheck {
  readonly #list = new ProblemList();
  readonly #counts = new Map<string, RunCount>();
  readonly #closings = new Map<string, Recorded<'run-closed'>>();

  follow(recorded: Recorded, evidence: Evidence): void {
    const { name, predicate } = recorded;
    if (name === 'run-opened' && !this.#counts.has(predicate.run)) {
      const updates = new Map(predicate.sites.map((site) => [site, 0]));
      this.#counts.set(predicate.run, { rounds: 0, updates, lastModel: undefined });
    }
    if (name === 'key-epoch' || name === 'round-frozen' || name === 'aggregate' || name === 'run-closed') this.#requireOpen(recorded);
    if (name === 'aggregate') this.#count(recorded, evidence);
    if (name === 'run-closed') this.#closings.set(predicate.run, recorded);
    if (name === 'evaluation') this.#checkEvaluation(recorded, evidence);
  }

  finish(): Finding {
    // A result that comes after a closing makes it wrong, so it is compared with everything.
    for (const closed of this.#closings.values()) this.#checkClosing(closed);
    return { detail: countOf(this.#closings.size, 'closed run'), problems: this.#list.problems };
  }

  #checkEvaluation(recorded: Recorded<'evaluation'>, evidence: Evidence): void {
    const { run, sum, model, round, metric } = recorded.predicate;
    this.#list.require(
      evidence.wasTakenOn(run, sum, model),
      recorded,
      `it is of model ${model}, but sum ${sum} was not taken on that model`,
    );
    this.#list.require(
      evidence.startedAfterRound(run, sum, round),
      recorded,
      `it is of round ${round}, but sum ${sum} did not start from the model of that round`,
    );
    this.#list.require(!evidence.isEvaluated(run, sum, metric), recorded, `sum ${sum} has two evaluations of ${metric}`);
  }

  totals(): RunTotals[] {
    return [...this.#counts].map(([run, { rounds, updates }]) => ({
      run,
      rounds,
      contributions: [...updates].map(([site, count]) => ({ site, updates: count })),
    }));
  }

  /** The operator does nothing more in a run that it has closed; sites may still sign late. */
  #requireOpen(recorded: Recorded<'key-epoch' | 'round-frozen' | 'aggregate' | 'run-closed'>): void {
    const { run } = recorded.predicate;
    const closing = this.#closings.get(run);
    this.#list.require(closing === undefined, recorded, `it comes after run "${run}" was closed in entry ${closing?.index}`);
  }

  #count(aggregate: Recorded<'aggregate'>, evidence: Evidence): void {
    const { run, sum, kind, modelOut } = aggregate.predicate;
    const count = this.#counts.get(run);
    if (!count) return;
    if (kind !== 'confirm' && modelOut !== 'none') count.lastModel = modelOut;
    if (kind !== 'update') return;
    count.rounds++;
    const counted = new Set(evidence.openSum(run, sum)?.frozen?.predicate.counted.map(({ site }) => site));
    for (const site of counted) {
      const before = count.updates.get(site);
      if (before !== undefined) count.updates.set(site, before + 1);
    }
  }

  #checkClosing(closed: Recorded<'run-closed'>): void {
    const { run, rounds, model, contributions } = closed.predicate;
    const list = this.#list;
    const count = this.#counts.get(run);
    if (!count) {
      list.add(closed, `run "${run}" was never opened`);
      return;
    }
    list.require(rounds === count.rounds, closed, `it says ${rounds} rounds; ${count.rounds} sums of training rounds are recorded`);
    const claimed = new Map(contributions.map(({ site, updates }) => [site, updates]));
    list.require(claimed.size === contributions.length, closed, 'it lists a site twice');
    for (const [site, updates] of count.updates) {
      const said = claimed.get(site) ?? 0;
      list.require(said === updates, closed, `it says ${said} contributions of "${site}"; ${updates} are recorded`);
      claimed.delete(site);
    }
    for (const site of claimed.keys()) list.add(closed, `"${site}" is not a site of the run`);
    const last = count.lastModel;
    list.require(model === 'none' || model === last, closed, `it ends with model ${model}, but the last sum left ${last ?? 'none'}`);
  }
}
