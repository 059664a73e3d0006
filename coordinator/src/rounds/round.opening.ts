import { type SumKind, epochSites, inputContext, namedSumInput, vectorShape } from '@coferment/consortium';
import { ciphertextBytes, coefficientCount } from '@coferment/crypto';
import type { ModelStateRow } from '../models/model-state.entity.js';
import { type RunView, nextSumNumber } from '../runs/run.view.js';
import type { RoundRow } from './round.entity.js';

export interface SumToOpen {
  kind: SumKind;
  sum: number;
  /** Training round, from 1; for `evaluate` the rounds done; 0 otherwise. */
  round: number;
  /** The one site of a confirm sum. */
  confirms: string | null;
  /** What it starts from; undefined for confirm and statistics. */
  from: ModelStateRow | undefined;
  /** The set of an earlier sum that this one completes. */
  fixedSet?: string[] | null;
  /** Where an approved proposal led to that set. */
  newSet?: string | null;
}

/** A new sum, with I rebuilt by the same rules as every site's (R1). */
export function newRound(
  view: RunView,
  { kind, sum, round, confirms, from, fixedSet = null, newSet = null }: SumToOpen,
  nowMs: number,
): RoundRow {
  const { plan, run, epoch } = view;
  const input = namedSumInput(plan, kind, from ?? null);
  const { modelIn, ranges, normalisation, weightRule } = input;
  const { parameters } = epoch.roster;
  return {
    run: run.run,
    sum,
    epoch: epoch.epoch,
    kind,
    round,
    confirms,
    state: 'training',
    attempt: 1,
    i: inputContext(input),
    modelIn,
    ranges,
    normalisation,
    weightRule,
    openedMs: nowMs,
    deadlineMs: nowMs + plan.quorum.deadline,
    nonces: [],
    k: null,
    t: null,
    counted: [],
    excluded: [],
    certificate: [],
    modelOut: null,
    metric: null,
    trainLoss: null,
    uploadBytes: ciphertextBytes(coefficientCount(vectorShape(plan, kind), parameters), parameters),
    closedMs: null,
    cause: '',
    fixedSet,
    newSet,
    failure: null,
  };
}

/** The confirm sums of an epoch (S4): one a site, in site order, all open at once. */
export function confirmRounds(view: RunView, nowMs: number): RoundRow[] {
  const first = nextSumNumber(view);
  return epochSites(view.epoch.roster).map((site, index) =>
    newRound(view, { kind: 'confirm', sum: first + index, round: 0, confirms: site, from: undefined }, nowMs),
  );
}
