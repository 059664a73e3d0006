import { vectorShape } from '@coferment/consortium';
import {
  type AggregationParameters,
  blockCount,
  ciphertextBytes,
  coefficientCount,
  parameterSet,
  SEALING_OVERHEAD_BYTES,
  shareBytes,
} from '@coferment/crypto';
import { CoordinatorError } from '../errors/index.js';
import type { RoundRow } from '../rounds/round.entity.js';
import { type RunView, epochOf } from '../runs/run.view.js';
import { stuckAt } from '../runs/shortfall.rule.js';
import type { StoredPurpose } from './object.entity.js';

/** A dealing is checked against two masks (step S2): two masked polynomials, and three values in each holder's box. */
const MASKS = 2;
const SALT_BYTES = 32;

/** Bytes of one ring element: N words of 64 bits for each data prime. */
function elementBytes(parameters: AggregationParameters): number {
  const { degree, dataPrimes } = parameterSet(parameters.set);
  return degree * dataPrimes.length * 8;
}

export function blocksOf(view: RunView, round: RoundRow): number {
  return blockCount(vectorShape(view.plan, round.kind), epochOf(view, round).roster.parameters);
}

/** Coefficients in use in every vector of a sum: what an upload, a share and the published sum carry. */
export function coefficientsOf(view: RunView, round: RoundRow): number {
  return coefficientCount(vectorShape(view.plan, round.kind), epochOf(view, round).roster.parameters);
}

/** Sizes that an object of this purpose may have in the run's present state; none when no such object is due. */
export function dueSizes(view: RunView, site: string, purpose: Exclude<StoredPurpose, 'published'>): number[] {
  const { roster } = view.epoch;
  const { parameters } = roster;
  const inState = (...states: RoundRow['state'][]) =>
    view.rounds.filter((round) => round.epoch === view.epoch.epoch && states.includes(round.state));
  switch (purpose) {
    case 'dealing-masked':
      return view.epoch.e0 === null ? [] : [MASKS * parameters.threshold * elementBytes(parameters)];
    case 'dealing-box':
      return view.epoch.e0 === null ? [] : [SALT_BYTES + (1 + MASKS) * elementBytes(parameters) + SEALING_OVERHEAD_BYTES];
    case 'ciphertext': {
      const listed = inState('uploading').filter((round) => round.nonces.some((entry) => entry.site === site));
      return listed.map((round) => ciphertextBytes(coefficientsOf(view, round), parameters));
    }
    case 'decryption-share': {
      if (!roster.keyHolders.some((holder) => holder.site === site)) return [];
      // A sum that is stuck for want of shares still takes them: that is how it goes on.
      const stopped = inState('stuck').filter((round) => stuckAt(round) === 'decrypting');
      const due = [...inState('decrypting', 'garbled', 'applying', 'closed'), ...stopped];
      return due.map((round) => shareBytes(coefficientsOf(view, round), parameters));
    }
  }
}

/**
 * The size of every object follows from the plan, so one byte more or less is refused before any byte is stored.
 * @throws CoordinatorError 'wrong-size'
 */
export function requireDueSize(view: RunView, site: string, purpose: Exclude<StoredPurpose, 'published'>, size: number): void {
  const due = dueSizes(view, site, purpose);
  if (due.includes(size)) return;
  const expected = due.length === 0 ? `none is due from "${site}" now` : `it must have ${[...new Set(due)].join(' or ')}`;
  throw new CoordinatorError('wrong-size', `An object for ${purpose} of ${size} bytes is refused: ${expected} in run ${view.run.run}.`);
}
