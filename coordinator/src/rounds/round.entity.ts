import type { NonceEntry, RoundState, SumKind } from '@coferment/consortium';
import { EntitySchema } from 'typeorm';
import { big, integer, json, key, optional, real, text } from '../persistence/column.types.js';
import type { SiteOutcome } from './site.outcome.js';

export type GarbleReason = 'parity' | 'residual' | 'confirm-mismatch' | 'weights';

/** What the last try to open a sum came to. */
export interface OpeningFailure {
  reason: GarbleReason;
  /** Who is at fault, as far as the shares show it (R7). */
  named: string[];
  detail: string;
  /** How many shares there were: with more, somebody else may be named. */
  shares: number;
}

/** One sum of a run, through all its attempts. */
export interface RoundRow {
  run: string;
  /** Number of the sum in the run, from 1. */
  sum: number;
  epoch: number;
  kind: SumKind;
  /** Training round, from 1; 0 for confirm and statistics. */
  round: number;
  /** The one site of a confirm sum. */
  confirms: string | null;
  state: RoundState;
  attempt: number;
  i: string;
  modelIn: string;
  ranges: string;
  /** Digest of what inputs and targets are scaled by. */
  normalisation: string;
  weightRule: string;
  openedMs: number;
  /** When the stage that collects from sites stops waiting for stragglers. */
  deadlineMs: number;
  nonces: NonceEntry[];
  k: string | null;
  t: string | null;
  /** H(A). */
  counted: string[];
  /** Sites of the epoch that the closed list or the freeze left out, and why. */
  excluded: SiteOutcome[];
  /** Digests of the attestations that certify T. */
  certificate: string[];
  modelOut: string | null;
  metric: number | null;
  trainLoss: number | null;
  /** Bytes of one encrypted vector. */
  uploadBytes: number;
  closedMs: number | null;
  cause: string;
  /** The set that an earlier sum from the same model was frozen with: this one can only be over exactly that. */
  fixedSet: string[] | null;
  /** Where that set is not the first one of its model: the slot of the proposal that everybody concerned approved, and of their approvals. */
  newSet: string | null;
  failure: OpeningFailure | null;
}

export const RoundEntity = new EntitySchema<RoundRow>({
  name: 'round',
  columns: {
    run: { ...text, ...key },
    sum: { ...integer, ...key },
    epoch: integer,
    kind: text,
    round: integer,
    confirms: { ...text, ...optional },
    state: text,
    attempt: integer,
    i: text,
    modelIn: { ...text, name: 'model_in' },
    ranges: text,
    normalisation: text,
    weightRule: { ...text, name: 'weight_rule' },
    openedMs: { ...big, name: 'opened_ms' },
    deadlineMs: { ...big, name: 'deadline_ms' },
    nonces: json,
    k: { ...text, ...optional },
    t: { ...text, ...optional },
    counted: json,
    excluded: json,
    certificate: json,
    modelOut: { ...text, ...optional, name: 'model_out' },
    metric: { ...real, ...optional },
    trainLoss: { ...real, ...optional, name: 'train_loss' },
    uploadBytes: { ...big, name: 'upload_bytes' },
    closedMs: { ...big, ...optional, name: 'closed_ms' },
    cause: text,
    fixedSet: { ...json, ...optional, name: 'fixed_set' },
    newSet: { ...text, ...optional, name: 'new_set' },
    failure: { ...json, ...optional },
  },
});
