import type { ExclusionReason, Roster } from '@coferment/consortium';
import { epochStage, sitesWithout } from '../epochs/epoch.stage.js';
import { decideList } from '../rounds/close-list.rule.js';
import { decideUploads } from '../rounds/freeze.rule.js';
import { graceIsOver, quorumSettled } from '../rounds/quorum-grace.rule.js';
import type { RoundRow } from '../rounds/round.entity.js';
import { approvedSites, atDeadline, isPastDeadline } from './approval.deadline.js';
import type { Blocking } from './run.blocking.js';
import { contributorsNeeded, declinedSites, noncesOf } from '../rounds/round.participants.js';
import { isBeforeStart } from './start.time.js';
import { notWaitedFor } from '../rounds/standing.rule.js';
import { type RunView, isOver, openRounds, sitesOf } from './run.view.js';
import { type StuckStep, stepInStuck, stepIntoStuck } from './stuck.steps.js';
import { slots } from './slot.names.js';

type Excluded = { site: string; reason: ExclusionReason }[];

/** A refusal's own words are bounded; a hundred of them together are not. */
const LONGEST_CAUSE = 2000;

/** The next thing that the coordinator itself has to do in a run. */
export type Step =
  | { do: 'narrow-roster'; sites: string[]; notApproved: string[]; roster: Roster }
  | ({ do: 'give-up'; notApproved: string[] } & Blocking)
  | { do: 'start-epoch' }
  | { do: 'publish-roster' }
  | { do: 'seal-epoch' }
  | ({ do: 'block' } & Blocking)
  | { do: 'close-list'; sum: number; excluded: Excluded }
  | { do: 'abandon'; sum: number; excluded: Excluded }
  | { do: 'new-attempt'; sum: number }
  | { do: 'freeze'; sum: number; counted: string[]; dropped: Excluded }
  | { do: 'ask-attestation'; sums: number[] }
  | { do: 'certify'; sums: number[] }
  | { do: 'open-sum'; sum: number }
  | { do: 'open-again'; sum: number }
  | { do: 'block-over-sum'; sum: number }
  | StuckStep;

/** Who cannot be waited for at the moment. */
export type AbsentAmong = (sites: readonly string[]) => Set<string>;

/** The next legal step, or undefined while the run waits for its sites. Pure: presence and time come in, nothing is changed. */
export function nextStep(view: RunView, absentAmong: AbsentAmong, nowMs: number): Step | undefined {
  // A paused run waits for the operator.
  if (isOver(view) || view.run.state === 'paused') return undefined;
  if (view.run.state === 'stuck') return view.epoch.e === null ? undefined : stepInStuck(view, absentAmong);
  if (view.run.state === 'awaiting-approval') return stepInApproval(view, nowMs);
  if (view.epoch.e === null) return stepInEpoch(view, nowMs);
  const rounds = openRounds(view);
  const stop = stepIntoStuck(view, absentAmong, nowMs);
  if (stop !== undefined) return stop;
  for (const round of rounds) {
    const step = stepInRound(view, round, absentAmong, nowMs);
    if (step !== undefined) return step;
  }
  return stepOfAll(view, rounds, absentAmong, nowMs);
}

/** All approvals start the run at once, or at its time; with a deadline, those that are there when it passes decide. */
function stepInApproval(view: RunView, nowMs: number): Step | undefined {
  if (approvedSites(view).length === view.run.sites.length) return isBeforeStart(view, nowMs) ? undefined : { do: 'start-epoch' };
  if (!isPastDeadline(view, nowMs)) return undefined;
  const outcome = atDeadline(view);
  switch (outcome.kind) {
    case 'go-on':
      return { do: 'narrow-roster', sites: outcome.sites, notApproved: outcome.notApproved, roster: outcome.roster };
    case 'too-few':
      return { do: 'give-up', notApproved: outcome.notApproved, cause: outcome.cause, whatToDo: outcome.whatToDo };
  }
}

function stepInEpoch(view: RunView, nowMs: number): Step | undefined {
  switch (epochStage(view)) {
    case 'offering-keys':
      return sitesWithout(view, 'sealing-key').length === 0 ? { do: 'publish-roster' } : undefined;
    case 'dealing':
      return refusedDealing(view, nowMs);
    case 'agreeing':
      return sitesWithout(view, 'epoch-agreed').length === 0 ? { do: 'seal-epoch' } : undefined;
    case 'approving-roster':
    case 'agreed':
      return undefined;
  }
}

/**
 * One of the two lies or is broken and nobody else can tell which, so the pair is named (S3). The other holders are given a moment to say how the same
 * dealing looks to them: the operator then sees more than one pair.
 */
function refusedDealing(view: RunView, nowMs: number): Step | undefined {
  const { epoch, roster } = view.epoch;
  const refusals = view.acts
    .inSlot('dealing', slots.ofEpoch(epoch))
    .flatMap(({ site: dealer }) => view.acts.inSlot('dealing-refused', slots.ofDealing(epoch, dealer)));
  const [first] = refusals;
  if (first === undefined) return undefined;
  const { dealer } = first.predicate;
  const unheard = roster.keyHolders.filter(
    ({ site }) =>
      !['dealing-ack' as const, 'dealing-refused' as const].some((name) => view.acts.has(name, site, slots.ofDealing(epoch, dealer))),
  );
  if (unheard.length > 0 && !graceIsOver(Math.min(...refusals.map(({ receivedMs }) => receivedMs)), nowMs)) return undefined;
  const said = refusals.map(
    ({ site, predicate }) => `key holder "${site}" refuses the dealing of "${predicate.dealer}" (${predicate.reason})`,
  );
  const renew = `coferment epochs renew ${view.run.run}`;
  return {
    do: 'block',
    cause: `In key epoch ${epoch}, ${said.join('; ')}`.slice(0, LONGEST_CAUSE),
    whatToDo: `One of the two, "${dealer}" or "${first.site}", is at fault; the dealing cannot say which. Settle it with both, then start a new key epoch: ${renew} --leave-out ${dealer}, or ${renew} --replace-holder ${first.site}`,
  };
}

function stepInRound(view: RunView, round: RoundRow, absentAmong: AbsentAmong, nowMs: number): Step | undefined {
  const collected: Collected = {
    declined: declinedSites(view, round),
    absent: absentAmong(sitesOf(view, round)),
    setAside: notWaitedFor(view, round),
    minContributors: contributorsNeeded(view, round),
    // A sum over a fixed set is over all of it, however long that takes.
    pastDeadline: round.fixedSet === null && nowMs >= round.deadlineMs,
  };
  switch (round.state) {
    case 'training':
    case 'ready':
      return stepInList(view, round, collected);
    case 'uploading':
      return stepInUploads(view, round, collected);
    case 'decrypting':
      return sharesSettled(view, round, absentAmong, nowMs) ? { do: 'open-sum', sum: round.sum } : undefined;
    case 'garbled':
      return stepInGarbled(view, round, absentAmong, nowMs);
    case 'frozen':
    case 'attesting':
    case 'applying':
    case 'closed':
    case 'abandoned':
    case 'stalled':
    case 'stuck':
    case 'superseded':
      return undefined;
  }
}

/** R7: f wrong shares are noticed once τ + f have come and named once τ + 2f have, so whoever may still come is waited for, but not for long. */
function stepInGarbled(view: RunView, round: RoundRow, absentAmong: AbsentAmong, nowMs: number): Step | undefined {
  const { sum, failure, deadlineMs } = round;
  const asked = view.epoch.roster.keyHolders.map((holder) => holder.site);
  const given = new Set(view.acts.inSlot('share', slots.ofSum(sum)).map((act) => act.site));
  if (given.size > (failure?.shares ?? 0)) return { do: 'open-again', sum };
  const missing = asked.filter((site) => !given.has(site));
  const nobodyComes = missing.length === absentAmong(missing).size || nowMs >= deadlineMs;
  return nobodyComes ? { do: 'block-over-sum', sum } : undefined;
}

interface Collected {
  declined: Set<string>;
  absent: Set<string>;
  setAside: Set<string>;
  minContributors: number;
  pastDeadline: boolean;
}

function stepInList(view: RunView, round: RoundRow, collected: Collected): Step | undefined {
  const decision = decideList(view.plan.quorum, { ...collected, sites: sitesOf(view, round), nonces: noncesOf(view, round) });
  switch (decision.kind) {
    case 'wait':
      return undefined;
    case 'close':
      return { do: 'close-list', sum: round.sum, excluded: decision.excluded };
    case 'abandon':
      return { do: 'abandon', sum: round.sum, excluded: decision.excluded };
  }
}

function stepInUploads(view: RunView, round: RoundRow, collected: Collected): Step | undefined {
  const listed = round.nonces.map((entry) => entry.site);
  const uploaded = new Set(view.acts.inSlot('contribution', slots.ofAttempt(round.sum, round.attempt)).map((act) => act.site));
  const decision = decideUploads(view.plan.quorum, { ...collected, listed, uploaded });
  switch (decision.kind) {
    case 'wait':
      return undefined;
    case 'new-attempt':
      return { do: 'new-attempt', sum: round.sum };
    case 'abandon':
      return { do: 'abandon', sum: round.sum, excluded: decision.dropped };
    case 'freeze':
      return { do: 'freeze', sum: round.sum, counted: decision.counted, dropped: decision.dropped };
  }
}

/** Confirm sums are frozen one by one, then attested all together. */
function stepOfAll(view: RunView, rounds: readonly RoundRow[], absentAmong: AbsentAmong, nowMs: number): Step | undefined {
  const sums = rounds.map((round) => round.sum);
  if (rounds.length > 0 && rounds.every((round) => round.state === 'frozen')) return { do: 'ask-attestation', sums };
  const first = rounds[0];
  if (first === undefined || !rounds.every((round) => round.state === 'attesting')) return undefined;
  const acts = view.acts.inSlot('attestation', slots.ofAttestation(first.kind, first.epoch, first.sum));
  const asked = view.run.sites;
  const answered = new Map(acts.map((act) => [act.site, act.receivedMs]));
  // A site that is left out may sign, and is not waited for.
  const { numbers, leftOut } = view.epoch.roster;
  const absent = new Set([...absentAmong(asked), ...leftOut]);
  const settled = quorumSettled({ asked, answered, absent, quorum: numbers.rho }, nowMs);
  return settled ? { do: 'certify', sums } : undefined;
}

function sharesSettled(view: RunView, round: RoundRow, absentAmong: AbsentAmong, nowMs: number): boolean {
  const asked = view.epoch.roster.keyHolders.map((holder) => holder.site);
  const answered = new Map(view.acts.inSlot('share', slots.ofSum(round.sum)).map((act) => [act.site, act.receivedMs]));
  return quorumSettled({ asked, answered, absent: absentAmong(asked), quorum: view.epoch.roster.numbers.tau }, nowMs);
}
