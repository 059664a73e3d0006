import {
  ConsortiumError,
  type StrategyState,
  applySum,
  confirmVector,
  decodeExact,
  initialState,
  vectorShape,
} from '@coferment/consortium';
import { CryptoError, unpackSum } from '@coferment/crypto';
import type { GarbleReason, RoundRow } from '../rounds/round.entity.js';
import { type RunView, present } from '../runs/run.view.js';
import type { StoredOpening } from './sum.opener.js';

export interface OpeningInput {
  view: RunView;
  round: RoundRow;
  /** How many decryption shares it was opened with. */
  shares: number;
  /** The state the sum starts from; undefined for confirm and statistics. */
  state: StrategyState | undefined;
}

/** Holdout error of the incoming model over all counted sites; null where nobody has holdout rows. */
export interface Metrics {
  rmse: number | null;
  holdoutCount: number;
}

export type Opening =
  | {
      ok: true;
      state: StrategyState | undefined;
      metrics: Metrics | undefined;
      trainLoss: number | undefined;
    }
  | Garbled;

export interface Garbled {
  ok: false;
  reason: GarbleReason;
  named: string[];
  detail: string;
}

/**
 * From the exact sum to what follows from it. Pure: running it again after a crash gives the same bytes.
 * @param coefficients of the opened sum: words below t, as many as are in use
 */
export function interpretSum(input: OpeningInput, coefficients: BigUint64Array): Opening {
  try {
    return readSum(input, coefficients);
  } catch (error) {
    if (error instanceof CryptoError) return { ok: false, reason: 'residual', named: [], detail: error.message };
    if (error instanceof ConsortiumError) return { ok: false, reason: 'weights', named: [], detail: error.message };
    throw error;
  }
}

/** What is said of a sum that does not open. */
export function describeRefusal(input: OpeningInput, { reason, wrong, detail }: Extract<StoredOpening, { ok: false }>): Garbled {
  const { keyHolders } = input.view.epoch.roster;
  switch (reason) {
    case 'parity':
      return { ok: false, reason, named: wrong.map((position) => present(keyHolders[position], 'a key holder').site), detail };
    case 'residual':
      return { ok: false, reason, named: confirmedSite(input), detail };
    case 'malformed':
      return { ok: false, reason: 'residual', named: [], detail };
  }
}

function readSum(input: OpeningInput, coefficients: BigUint64Array): Opening {
  const { view, round, state } = input;
  const { plan, run } = view;
  const { parameters } = view.epoch.roster;
  const addends = round.counted.length;
  const { packed, exact } = unpackSum(vectorShape(plan, round.kind), parameters, coefficients, addends);
  const opened = { ok: true as const, state, metrics: undefined, trainLoss: undefined };
  switch (round.kind) {
    case 'confirm': {
      const site = present(round.confirms, 'the confirmed site');
      const expected = confirmVector(present(view.epoch.e, 'E'), site, parameters.valueBits);
      const same =
        expected.packed.every((value, index) => packed[index] === value) && expected.exact.every((value, index) => exact[index] === value);
      if (same) return opened;
      return {
        ok: false,
        reason: 'confirm-mismatch',
        named: confirmedSite(input),
        detail: `the confirmation of "${site}" did not come out`,
      };
    }
    case 'statistics': {
      const initial = initialState(plan, { ordinal: run.ordinal, siteIds: run.sites, statistics: { exact, addends } });
      return { ...opened, state: initial };
    }
    case 'update': {
      const values = decodeExact(plan, 'update', exact);
      const applied = applySum(plan, present(state, 'a model'), { packed, exact, addends, valueBits: parameters.valueBits });
      return { ...opened, state: applied, metrics: metricsOf(values), trainLoss: values['trainLossSum']! / values['weight']! };
    }
    case 'evaluate':
      return { ...opened, metrics: metricsOf(decodeExact(plan, 'evaluate', exact)) };
  }
}

/**
 * S4: a site whose public vector does not come out is at fault if every parity relation holds on at least τ + 1 shares. With fewer there is none, and it may
 * as well be a key holder.
 */
function confirmedSite({ view, round, shares }: OpeningInput): string[] {
  return round.confirms !== null && shares > view.epoch.roster.numbers.tau ? [round.confirms] : [];
}

function metricsOf(values: Readonly<Record<string, number>>): Metrics {
  const holdoutCount = values['holdoutCount']!;
  return { rmse: holdoutCount > 0 ? Math.sqrt(values['holdoutSumSquaredError']! / holdoutCount) : null, holdoutCount };
}
