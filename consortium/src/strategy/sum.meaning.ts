import { type AggregationParameters, unpackSum } from '@coferment/crypto';
import { confirmVector, decodeExact, vectorShape } from '../model-vector/index.js';
import type { Plan } from '../plan/index.js';
import type { SumKind } from '../statements/index.js';
import { applySum, initialState, type StrategyState } from './fedavg.strategy.js';

/** An opened sum with all that decides what it means. */
export interface OpenedSum {
  readonly plan: Plan;
  readonly kind: SumKind;
  /** The run's ordinal for this plan. */
  readonly ordinal: number;
  /** Sites of the run: those of its roster. */
  readonly sites: readonly string[];
  /** Of the key epoch in which it was opened. */
  readonly parameters: AggregationParameters;
  /** |A|: how many sites it covers. */
  readonly addends: number;
  /** The site of a confirm sum, and E. */
  readonly confirms: { readonly site: string; readonly e: string } | undefined;
  /** What an update is applied to. */
  readonly state: StrategyState | undefined;
  readonly coefficients: BigUint64Array;
}

/** Holdout error of the incoming model over all counted sites; null where nobody has holdout rows. */
export interface Metrics {
  readonly rmse: number | null;
  readonly holdoutCount: number;
}

/** `ok: false`: a confirm sum that is not its site's public vector. */
export type SumMeaning =
  | {
      readonly ok: true;
      /** The state after a statistics or update sum. */
      readonly next: StrategyState | undefined;
      /** Of update and evaluate sums. */
      readonly metrics: Metrics | undefined;
      /** Of update sums: mean over the counted sites, by weight. */
      readonly trainLoss: number | undefined;
    }
  | { readonly ok: false };

/**
 * From the exact sum to what follows from it. Coordinator, agents and auditors all read a sum here, so none of them can come to another model than the others.
 * @throws CryptoError 'out-of-range' for a sum that no honest sites have, ConsortiumError as `applySum` and `initialState`
 */
export function readSum(sum: OpenedSum): SumMeaning {
  const { plan, kind, parameters, addends, ordinal, sites } = sum;
  const { packed, exact } = unpackSum(vectorShape(plan, kind), parameters, sum.coefficients, addends);
  const nothing = { ok: true, next: undefined, metrics: undefined, trainLoss: undefined } as const;
  switch (kind) {
    case 'confirm': {
      const { site, e } = required(sum.confirms, 'the confirmed site');
      const expected = confirmVector(e, site, parameters.valueBits);
      const same =
        expected.packed.every((value, index) => packed[index] === value) && expected.exact.every((value, index) => exact[index] === value);
      return same ? nothing : { ok: false };
    }
    case 'statistics':
      return { ...nothing, next: initialState(plan, { ordinal, siteIds: sites, statistics: { exact, addends } }) };
    case 'update': {
      const values = decodeExact(plan, 'update', exact);
      const next = applySum(plan, required(sum.state, 'a model'), { packed, exact, addends, valueBits: parameters.valueBits });
      return { ok: true, next, metrics: metricsOf(values), trainLoss: values['trainLossSum']! / values['weight']! };
    }
    case 'evaluate':
      return { ...nothing, metrics: metricsOf(decodeExact(plan, 'evaluate', exact)) };
  }
}

function metricsOf(values: Readonly<Record<string, number>>): Metrics {
  const holdoutCount = values['holdoutCount']!;
  return { rmse: holdoutCount > 0 ? Math.sqrt(values['holdoutSumSquaredError']! / holdoutCount) : null, holdoutCount };
}

/** What the caller's state guarantees. */
function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`a sum of this kind needs ${what}`);
  return value;
}
