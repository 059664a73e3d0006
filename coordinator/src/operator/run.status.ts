import { canonicalBytes, describeModel } from '@coferment/consortium';
import { RoundStatus, RunStatus } from '@coferment/proto';
import type { RoundRow } from '../rounds/round.entity.js';
import { refusalsOf } from '../runs/run.refusals.js';
import { waitingOf } from '../runs/run.waiting.js';
import { newSetStatus } from './new-set.status.js';
import { isReleased } from '../runs/run.release.js';
import { type RunView, closedRounds } from '../runs/run.view.js';

/**
 * A run as the operator sees it.
 * @param damage what to do about a file that the run cannot go on without
 */
export function runStatus(view: RunView, damage?: string): RunStatus {
  const { run, epoch, plan } = view;
  const { roster, fingerprint, e } = epoch;
  const { waitingFor, deadlineMs, whatToDo } = waitingOf(view);
  return RunStatus.fromPartial({
    run: run.run,
    plan: run.plan,
    planName: run.planName,
    ordinal: run.ordinal,
    state: run.state,
    epoch: run.epoch,
    sites: run.sites,
    keyHolders: roster.keyHolders.map((holder) => holder.site),
    threshold: roster.numbers.tau,
    collusionBound: roster.numbers.c,
    attestQuorum: roster.numbers.rho,
    minContributors: roster.numbers.minContributors,
    leftOut: roster.leftOut,
    fingerprint,
    e: e ?? '',
    roundsPlanned: plan.rounds,
    roundsClosed: closedRounds(view).filter((round) => round.kind === 'update').length,
    rounds: view.rounds.map(roundStatus),
    model: run.model === 'none' ? '' : run.model,
    modelParameters: describeModel(plan).parameters,
    waitingFor,
    deadlineMs,
    whatToDo: damage ?? whatToDo,
    cause: run.cause,
    approvalDeadlineMs: run.approveByMs ?? 0,
    notApproved: run.notApproved,
    released: isReleased(view),
    openedMs: run.openedMs,
    newSet: newSetStatus(view),
    refusals: refusalsOf(view),
    parameters: new TextDecoder().decode(canonicalBytes(roster.parameters)),
  });
}

export function roundStatus(round: RoundRow): RoundStatus {
  return RoundStatus.fromPartial({
    round: round.kind === 'update' ? round.round : 0,
    kind: round.kind,
    sum: round.sum,
    attempt: round.attempt,
    state: round.state,
    counted: round.counted,
    excluded: round.excluded,
    modelIn: round.modelIn === 'none' ? '' : round.modelIn,
    modelOut: round.modelOut === null || round.modelOut === 'none' ? '' : round.modelOut,
    ...(round.metric === null ? {} : { metric: round.metric }),
    ...(round.trainLoss === null ? {} : { trainLoss: round.trainLoss }),
    openedMs: round.openedMs,
    closedMs: round.closedMs ?? 0,
    cause: round.cause,
    uploadBytes: round.uploadBytes,
  });
}
