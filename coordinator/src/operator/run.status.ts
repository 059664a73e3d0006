import { canonicalBytes, describeModel } from '@coferment/consortium';
import { RoundStatus, RunStatus } from '@coferment/proto';
import type { RoundRow } from '../rounds/round.entity.js';
import { shownOutcome } from '../rounds/site.outcome.js';
import { failuresText, setAsideSites } from '../rounds/standing.rule.js';
import { refusalsOf } from '../runs/run.refusals.js';
import { pausedSinceMs } from '../runs/run.pause.js';
import { waitingOf } from '../runs/run.waiting.js';
import { newSetStatus } from './new-set.status.js';
import { isReleased } from '../runs/run.release.js';
import { type RunView, closedRounds, isOver, openRounds } from '../runs/run.view.js';
import { roundProgress } from './round.progress.js';

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
    rounds: roundsWithProgress(view),
    model: run.model === 'none' ? '' : run.model,
    modelParameters: describeModel(plan).parameters,
    waitingFor,
    deadlineMs,
    whatToDo: damage ?? whatToDo,
    cause: run.cause,
    approvalDeadlineMs: run.approveByMs ?? 0,
    notApproved: run.notApproved,
    startAtMs: run.startAtMs ?? 0,
    pausedMs: pausedSinceMs(view) ?? 0,
    released: isReleased(view),
    openedMs: run.openedMs,
    newSet: newSetStatus(view),
    refusals: refusalsOf(view),
    setAside: isOver(view) ? [] : setAsideStatus(view),
    parameters: new TextDecoder().decode(canonicalBytes(roster.parameters)),
  });
}

function roundsWithProgress(view: RunView): RoundStatus[] {
  const open = new Set(isOver(view) ? [] : openRounds(view));
  return view.rounds.map((round) => {
    const status = roundStatus(round);
    return open.has(round) ? { ...status, progress: roundProgress(view, round) } : status;
  });
}

function setAsideStatus(view: RunView): RunStatus['setAside'] {
  return [...setAsideSites(view)].map(([site, failures]) => ({
    site,
    failures: failures.length,
    reasons: failures.toReversed().map((failure) => failuresText([failure])),
  }));
}

export function roundStatus(round: RoundRow): RoundStatus {
  return RoundStatus.fromPartial({
    round: round.kind === 'update' ? round.round : 0,
    kind: round.kind,
    sum: round.sum,
    attempt: round.attempt,
    state: round.state,
    counted: round.counted,
    excluded: round.excluded.map(shownOutcome),
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
