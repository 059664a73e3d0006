import type { SumKind } from '@coferment/consortium';
import type { ContentCheck } from './content.check.js';
import type { Evidence, Recorded } from './evidence.js';
import { ProblemList } from './problem.list.js';
import { type WordName, isWord } from './sum.words.js';
import { type Finding, countOf } from './verification.report.js';

interface ModelChain {
  /** Training sums with a result. */
  rounds: number;
  /** The model that the last sum left. */
  current: string | undefined;
  /** The last sum that is not about a key. */
  lastSum: number;
  hasCompleted: boolean;
}

/** R8: what one round gives is what the next one starts from, so no model comes from outside; and rounds have the numbers in which they follow each other. */
export class ModelCheck implements ContentCheck {
  readonly #list = new ProblemList();
  readonly #chains = new Map<string, ModelChain>();
  readonly #released: Recorded<'model-released'>[] = [];
  #models = 0;

  follow(recorded: Recorded, evidence: Evidence): void {
    if (recorded.name === 'aggregate' || isWord(recorded)) this.#checkRound(recorded);
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

  /** Without this the number would be the operator's word: two rounds could be shown under each other's number, or as one. */
  #checkRound(recorded: Recorded<'aggregate' | WordName>): void {
    const { run, kind, round, sum } = recorded.predicate;
    const expected = roundOf(kind, this.#chain(run).rounds);
    this.#list.require(
      round === expected,
      recorded,
      `it says round ${round} of sum ${sum}; a sum of kind ${kind} has round ${expected} here`,
    );
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
      if (!evidence.hasResult(run, sum)) chain.rounds++;
    }
    if (kind === 'evaluate') list.require(modelOut === 'none' || modelOut === modelIn, aggregate, 'an evaluation changes the model');
    if (modelOut !== 'none') chain.current = modelOut;
  }

  #chain(run: string): ModelChain {
    const known = this.#chains.get(run) ?? { rounds: 0, current: undefined, lastSum: 0, hasCompleted: false };
    this.#chains.set(run, known);
    return known;
  }
}

/** @param done training rounds that were opened before */
function roundOf(kind: SumKind, done: number): number {
  switch (kind) {
    case 'confirm':
    case 'statistics':
      return 0;
    case 'update':
      return done + 1;
    case 'evaluate':
      return done;
  }
}
