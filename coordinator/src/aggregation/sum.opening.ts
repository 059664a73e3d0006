import {
  ConsortiumError,
  type StrategyState,
  applySum,
  confirmVector,
  decodeExact,
  initialState,
  vectorShape,
} from '@coferment/consortium';
import { CryptoError, coefficientCount, combine, sumCiphertexts, unpackSum } from '@coferment/crypto';
import type { GarbleReason, RoundRow } from '../rounds/round.entity.js';
import { type RunView, present } from '../runs/run.view.js';

export interface OpeningInput {
  view: RunView;
  round: RoundRow;
  /** Uploads of the counted sites; read one at a time. */
  uploads: Iterable<Uint8Array>;
  /** By position of the key holder, from 0. */
  shares: ReadonlyMap<number, Uint8Array>;
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
      coefficients: BigUint64Array;
      state: StrategyState | undefined;
      metrics: Metrics | undefined;
      trainLoss: number | undefined;
    }
  | { ok: false; reason: GarbleReason; named: string[]; detail: string };

/**
 * R7: from stored ciphertexts and shares to the exact sum, and to what follows from it. Pure and heavy: it runs outside any transaction, and running it
 * again after a crash gives the same bytes.
 */
export function openSum(input: OpeningInput): Opening {
  const { view, round, uploads, shares } = input;
  const { roster } = view.epoch;
  const { parameters } = roster;
  try {
    const coefficients = coefficientCount(vectorShape(view.plan, round.kind), parameters);
    const sum = sumCiphertexts(uploads, coefficients, parameters);
    const combined = combine({ parameters, sum, coefficients, addends: round.counted.length, shares });
    if (!combined.ok) {
      const holders = (combined.wrong ?? []).map((position) => present(roster.keyHolders[position], 'a key holder').site);
      const named = combined.reason === 'residual' ? confirmedSite(input) : holders;
      return { ok: false, reason: combined.reason, named, detail: 'the decryption shares do not fit together' };
    }
    return readSum(input, combined.coefficients);
  } catch (error) {
    if (error instanceof CryptoError) return { ok: false, reason: 'residual', named: [], detail: error.message };
    if (error instanceof ConsortiumError) return { ok: false, reason: 'weights', named: [], detail: error.message };
    throw error;
  }
}

function readSum(input: OpeningInput, coefficients: BigUint64Array): Opening {
  const { view, round, state } = input;
  const { plan, run } = view;
  const { parameters } = view.epoch.roster;
  const addends = round.counted.length;
  const { packed, exact } = unpackSum(vectorShape(plan, round.kind), parameters, coefficients, addends);
  const opened = { ok: true as const, coefficients, state, metrics: undefined, trainLoss: undefined };
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
  return round.confirms !== null && shares.size > view.epoch.roster.numbers.tau ? [round.confirms] : [];
}

function metricsOf(values: Readonly<Record<string, number>>): Metrics {
  const holdoutCount = values['holdoutCount']!;
  return { rmse: holdoutCount > 0 ? Math.sqrt(values['holdoutSumSquaredError']! / holdoutCount) : null, holdoutCount };
}

/** A published sum: one little-endian 64-bit word a coefficient. */
export function sumBytes(coefficients: BigUint64Array): Uint8Array {
  const bytes = Buffer.alloc(coefficients.length * 8);
  coefficients.forEach((word, index) => bytes.writeBigUInt64LE(word, index * 8));
  return bytes;
}
