import type { ContentCheck } from './content.check.js';
import type { Evidence, Recorded } from './evidence.js';
import { ProblemList } from './problem.list.js';
import { type Finding, countOf } from './verification.report.js';

interface ModelChain {
  /** The model that the last sum left. */
  current: string | undefined;
  /** The last sum that is not about a key. */
  lastSum: number;
  hasCompleted: boolean;
}

/** R8: what one round gives is what the next one starts from, so no model comes from outside. */
export class ModelCheck implements ContentCheck {
  readonly #list = new ProblemList();
  readonly #chains = new Map<string, ModelChain>();
  readonly #released: Recorded<'model-released'>[] = [];
  #models = 0;

  follow(recorded: Recorded, evidence: Evidence): void {
    if (recorded.name === 'aggregate') this.#followResult(recorded, evidence);
    if (recorded.name === 'model-released') this.#released.push(recorded);
    if (recorded.name === 'run-closed' && recorded.predicate.status === 'completed')
      this.#chain(recorded.predicate.run).hasCompleted = true;
  }

  finish(): Finding {
    // A model may be released before or after its run is closed, so this is known at the end only.
    for (const released of this.#released) {
      const { run, model } = released.predicate;
      const { current, hasCompleted } = this.#chain(run);
      this.#list.require(model === current, released, `it releases model ${model}, but the run ended with ${current ?? 'none'}`);
      this.#list.require(hasCompleted, released, 'it releases the model of a run that has not completed');
    }
    return { detail: countOf(this.#models, 'trained model'), problems: this.#list.problems };
  }

  #followResult(aggregate: Recorded<'aggregate'>, evidence: Evidence): void {
    const { run, kind, sum, modelIn, modelOut } = aggregate.predicate;
    const list = this.#list;
    const chain = this.#chain(run);
    list.require(!evidence.hasResult(run, sum), aggregate, `sum ${sum} has two results`);
    if (kind === 'confirm') return;
    list.require(sum >= chain.lastSum, aggregate, `sum ${sum} has its result after that of sum ${chain.lastSum}`);
    chain.lastSum = Math.max(chain.lastSum, sum);
    if (kind === 'update' || kind === 'evaluate') {
      list.require(modelIn !== 'none', aggregate, `a sum of kind ${kind} must start from a model`);
      list.require(
        chain.current === undefined || modelIn === chain.current,
        aggregate,
        `it starts from model ${modelIn}, but the sum before left ${chain.current}`,
      );
    }
    if (kind === 'update') {
      list.require(modelOut !== 'none' && modelOut !== modelIn, aggregate, 'its model does not change');
      this.#models++;
    }
    if (kind === 'evaluate') list.require(modelOut === 'none' || modelOut === modelIn, aggregate, 'an evaluation changes the model');
    if (modelOut !== 'none') chain.current = modelOut;
  }

  #chain(run: string): ModelChain {
    const known = this.#chains.get(run) ?? { current: undefined, lastSum: 0, hasCompleted: false };
    this.#chains.set(run, known);
    return known;
  }
}
