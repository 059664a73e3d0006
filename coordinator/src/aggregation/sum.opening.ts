import type { Metrics } from '@coferment/consortium';
import type { StateFacts, Stepped } from './sum.step.js';
import type { GarbleReason, RoundRow } from '../rounds/round.entity.js';
import { type RunView, present } from '../runs/run.view.js';
import type { StoredOpening } from './sum.opener.js';

export interface OpeningInput {
  view: RunView;
  round: RoundRow;
  /** How many decryption shares it was opened with. */
  shares: number;
}

export interface Opened {
  ok: true;
  /** What the run has learnt by this sum; undefined where it learns nothing. */
  learnt: StateFacts | undefined;
  metrics: Metrics | undefined;
  trainLoss: number | undefined;
}

export interface Garbled {
  ok: false;
  reason: GarbleReason;
  named: string[];
  detail: string;
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

/** What is said of a sum that opened, but to something that cannot be. */
export function describeStep(input: OpeningInput, stepped: Stepped): Opened | Garbled {
  if (stepped.ok) return stepped;
  return { ...stepped, named: stepped.reason === 'confirm-mismatch' ? confirmedSite(input) : [] };
}

/**
 * S4: a site whose public vector does not come out is at fault if every parity relation holds on at least τ + 1 shares. With fewer there is none, and it may
 * as well be a key holder.
 */
function confirmedSite({ view, round, shares }: OpeningInput): string[] {
  return round.confirms !== null && shares > view.epoch.roster.numbers.tau ? [round.confirms] : [];
}
