import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ConsortiumError,
  describeModel,
  modelDigest,
  namedSumInput,
  type Plan,
  readSum,
  type Roster,
  type StrategyState,
  type SumMeaning,
} from '@coferment/consortium';
import { CryptoError } from '@coferment/crypto';
import { objectPath } from '../export/index.js';
import type { CheckProblem } from '../verify/index.js';
import type { PublishedSum, RunRecord } from './run.record.js';

/** What one sum leads to. */
export interface Link {
  readonly problems: CheckProblem[];
  /** Digest of the state's model after the sum; `none` before there is one. */
  readonly model: string;
  readonly metrics: Extract<SumMeaning, { ok: true }>['metrics'];
  /** Why its model could not be computed. */
  readonly unchecked: string | undefined;
}

/**
 * The models of a run, each computed from the published sum before it, from the first one on. Every sum must start from the model that the ones before lead
 * to, with the ranges, normalisation and weight rule that follow, and the operator must have signed the model that follows from it.
 */
export class ModelChain {
  #state: StrategyState | undefined;
  #model = 'none';
  /** A sum before could not be read, so nothing is known of the models after it. */
  #broken: string | undefined;

  constructor(
    private readonly folder: string,
    private readonly record: RunRecord,
    private readonly plan: Plan,
  ) {}

  /** The first reason why no model can be computed any more. */
  break(reason: string): void {
    this.#broken ??= reason;
  }

  /** Reads the published sum, whose bytes were checked before, and takes the step that it means. */
  async step(sum: PublishedSum, roster: Roster): Promise<Link> {
    const { aggregate } = sum;
    const { kind, sumObject } = aggregate.predicate;
    const startsFromModel = kind === 'update' || kind === 'evaluate';
    if (startsFromModel && this.#broken === undefined && this.#state === undefined) this.break('no statistics sum was published before it');
    if (startsFromModel && this.#broken !== undefined)
      return { problems: [], model: 'none', metrics: undefined, unchecked: `its model could not be recomputed: ${this.#broken}` };
    const problems = [...this.#inputProblems(sum)];
    const fail = (problem: string) => problems.push({ where: `entry ${aggregate.index} (aggregate)`, problem });
    let metrics: Link['metrics'];
    try {
      const meaning = this.#read(sum, roster, wordsOf(await readFile(join(this.folder, objectPath(sumObject)))));
      if (!meaning.ok) fail(`the sum is not the public vector of "${sum.uploads[0]!.predicate.site}", which confirms its key`);
      else {
        metrics = meaning.metrics;
        if (meaning.next !== undefined) this.#enter(meaning.next);
        problems.push(...this.#evaluationProblems(sum, metrics));
      }
    } catch (error) {
      if (!(error instanceof CryptoError || error instanceof ConsortiumError)) throw error;
      fail(`no honest sites have such a sum: ${error.message}`);
      if (kind === 'statistics' || kind === 'update') this.break(`sum ${aggregate.predicate.sum} cannot be read`);
    }
    const { modelOut } = aggregate.predicate;
    const isSigned = modelOut === this.#model || (kind !== 'update' && modelOut === 'none');
    if (this.#broken === undefined && !isSigned) fail(`it names the model ${modelOut}; from its sum follows ${this.#model}`);
    return { problems, model: this.#model, metrics, unchecked: undefined };
  }

  #read({ aggregate, frozen }: PublishedSum, roster: Roster, coefficients: BigUint64Array): SumMeaning {
    const { kind, e } = aggregate.predicate;
    const { counted } = frozen.predicate;
    return readSum({
      plan: this.plan,
      kind,
      ordinal: this.record.opened.predicate.ordinal,
      sites: roster.sites.map(({ site }) => site),
      parameters: roster.parameters,
      addends: counted.length,
      confirms: kind === 'confirm' ? { site: counted[0]?.site ?? '', e } : undefined,
      state: this.#state,
      coefficients,
    });
  }

  #enter(state: StrategyState): void {
    this.#state = state;
    this.#model = modelDigest(describeModel(this.plan), state.model);
  }

  /** Whether every site was given the state that the sums before lead to. */
  *#inputProblems({ frozen }: PublishedSum): Generator<CheckProblem> {
    const { kind, modelIn, ranges, normalisation, weightRule } = frozen.predicate;
    const where = `entry ${frozen.index} (round-frozen)`;
    const state = kind === 'update' || kind === 'evaluate' ? this.#state : undefined;
    const input = namedSumInput(this.plan, kind, state === undefined ? null : { ...state, model: this.#model });
    if (input.modelIn !== modelIn)
      yield { where, problem: `it starts from the model ${modelIn}; the sums before it lead to ${input.modelIn}` };
    if (input.ranges !== ranges) yield { where, problem: `its ranges ${ranges} do not follow from the sums before it` };
    if (input.normalisation !== normalisation)
      yield { where, problem: `its normalisation ${normalisation} does not follow from the statistics sum` };
    if (input.weightRule !== weightRule) yield { where, problem: `its weight rule ${weightRule} is not ${input.weightRule}` };
  }

  /** Every evaluation that the operator signed is the one that the sum gives, to the last bit. */
  *#evaluationProblems({ aggregate }: PublishedSum, metrics: Link['metrics']): Generator<CheckProblem> {
    const { kind, sum } = aggregate.predicate;
    const evaluations = this.record.evaluations.get(sum) ?? [];
    if (evaluations.length === 0) {
      if (kind === 'evaluate' && metrics?.rmse !== null && this.record.isClosed)
        yield {
          where: `entry ${aggregate.index} (aggregate)`,
          problem: `its evaluation, ${metrics?.rmse}, was never entered in the ledger`,
        };
      return;
    }
    for (const { index, predicate } of evaluations) {
      const where = `entry ${index} (evaluation)`;
      const { metric, value, holdoutCount } = predicate;
      if (metric !== 'rmse' || metrics === undefined) yield { where, problem: `it gives the ${metric} of a sum of kind ${kind}` };
      else if (value !== metrics.rmse) yield { where, problem: `it says ${value}; the sum gives ${metrics.rmse ?? 'none'}` };
      else if (holdoutCount !== metrics.holdoutCount)
        yield { where, problem: `it says ${holdoutCount} holdout rows; the sum has ${metrics.holdoutCount}` };
    }
  }
}

function wordsOf(bytes: Buffer): BigUint64Array {
  return new BigUint64Array(Uint8Array.from(bytes).buffer);
}
