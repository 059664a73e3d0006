import { type BlockSpan, ciphertextBlockSpan, shareBlockSpan } from '@coferment/crypto';
import type { RoundRow } from '../rounds/round.entity.js';
import { OPERATOR } from '../runs/act.entity.js';
import { type RunView, closedRounds, epochOf } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import { blocksOf, coefficientsOf } from './object-size.rule.js';
import type { ObjectRow, StoredPurpose } from './object.entity.js';

/**
 * The closed sum that this upload or share is part of: members recompute blocks of published sums from exactly these (secure-aggregation.md R8).
 * Undefined for what was left out, came late or belongs to a sum that is still open: nobody needs it, so nobody gets it.
 */
export function countedIn(view: RunView, { digest, purpose, site }: ObjectRow): RoundRow | undefined {
  if (site === null) return undefined;
  return closedRounds(view).find((round) => {
    switch (purpose) {
      case 'ciphertext': {
        const upload = view.acts.find('contribution', site, slots.ofAttempt(round.sum, round.attempt));
        return round.counted.includes(site) && upload?.predicate.object === digest;
      }
      case 'decryption-share': {
        const share = view.acts.find('share', site, slots.ofSum(round.sum));
        const aggregate = view.acts.find('aggregate', OPERATOR, slots.ofSum(round.sum));
        return share?.predicate.object === digest && aggregate?.predicate.shares.some((named) => named['share'] === share.digest) === true;
      }
      case 'published':
      case 'dealing-masked':
      case 'dealing-box':
        return false;
    }
  });
}

/** Where the blocks of an upload or a share of this sum lie. */
export function blockSpans(view: RunView, round: RoundRow, purpose: StoredPurpose): BlockSpan[] {
  const span = purpose === 'ciphertext' ? ciphertextBlockSpan : shareBlockSpan;
  const coefficients = coefficientsOf(view, round);
  const { parameters } = epochOf(view, round).roster;
  return Array.from({ length: blocksOf(view, round) }, (_, block) => span(block, coefficients, parameters));
}

/** Where the blocks of an object of the current epoch and of this size lie. Sizes grow with the vector, so one is one layout; dealings have no blocks. */
export function spansOfSize(view: RunView, purpose: StoredPurpose, size: number): BlockSpan[] {
  if (purpose !== 'ciphertext' && purpose !== 'decryption-share') return [];
  const rounds = view.rounds.filter(({ epoch }) => epoch === view.epoch.epoch);
  const layouts = rounds.map((round) => blockSpans(view, round, purpose));
  return layouts.find((spans) => spans.reduce((sum, { length }) => sum + length, 0) === size) ?? [];
}
