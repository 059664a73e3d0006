import { type ExclusionReason, freezeContext, roundContext } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import { blockOverSum } from '../runs/run.blocking.js';
import { closeRun } from '../runs/run.closing.js';
import type { RunChange } from '../runs/run.change.js';
import { Clock } from '../telemetry/clock.js';
import { RunChanges } from '../runs/run.changes.js';
import { type RunView, membersOf, present, sitesOf } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';
import { type Moment, outcomesAtList, outcomesAtUpload, readyOutcomes } from './outcome.detail.js';
import { Presence } from './presence.js';
import type { RoundRow } from './round.entity.js';
import { contributorsNeeded, noncesOf } from './round.participants.js';
import { inSiteOrder, shownOfFrozen, shownOutcome } from './site.outcome.js';
import { noteStandings } from './standing.change.js';

type Excluded = { site: string; reason: ExclusionReason }[];

/** Takes a sum from its first nonce to its certificate. Each method is one transaction. */
@Injectable()
export class RoundService {
  constructor(
    private readonly changes: RunChanges,
    private readonly presence: Presence,
    private readonly clock: Clock,
  ) {}

  /** R2: fixes the list and K. */
  closeList(view: RunView, sum: number, excluded: Excluded): Promise<void> {
    const before = roundOf(view, sum);
    const nonces = noncesOf(view, before);
    const k = roundContext({ e: present(view.epoch.e, 'E'), i: before.i, sum, attempt: before.attempt, nonces });
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      const round = {
        ...before,
        nonces,
        k,
        excluded: inSiteOrder([...outsideFixedSet(before), ...outcomesAtList(view, before, excluded, this.#moment(view, change))]),
        deadlineMs: change.nowMs + view.plan.quorum.deadline,
      };
      await change.moveRound(
        round,
        ...(before.state === 'training' ? (['collect-nonces', 'close-list'] as const) : (['close-list'] as const)),
      );
    });
  }

  /** Fresh nonces for the same vectors: too few uploads came, and nobody was asked to sign yet. */
  newAttempt(view: RunView, sum: number): Promise<void> {
    const before = roundOf(view, sum);
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      const round = {
        ...before,
        attempt: before.attempt + 1,
        nonces: [],
        k: null,
        excluded: outsideFixedSet(before),
        deadlineMs: change.nowMs + view.plan.quorum.deadline,
      };
      await change.note('note', {
        sum,
        text: `Too few uploads came in attempt ${before.attempt}; sites are asked again with fresh nonces.`,
      });
      await change.moveRound(round, 'new-attempt');
    });
  }

  /** R4: fixes A and T, for ever, and says of everybody else why. */
  freeze(view: RunView, sum: number, counted: readonly string[], dropped: Excluded): Promise<void> {
    const before = roundOf(view, sum);
    const slot = slots.ofAttempt(sum, before.attempt);
    const entries = counted.map((site) => {
      const { predicate } = present(view.acts.find('contribution', site, slot), 'a contribution');
      return { site, merkleRoot: predicate.merkleRoot };
    });
    const k = present(before.k, 'K');
    const t = freezeContext(k, entries);
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      const excluded = inSiteOrder([...before.excluded, ...outcomesAtUpload(view, before, dropped, this.#moment(view, change))]);
      const round = { ...before, t, counted: [...counted], excluded };
      await change.sign('round-frozen', slots.ofSum(sum), {
        consortium: view.consortium,
        run: before.run,
        e: present(view.epoch.e, 'E'),
        kind: before.kind,
        sum,
        epoch: before.epoch,
        round: before.round,
        attempt: before.attempt,
        i: before.i,
        modelIn: before.modelIn,
        ranges: before.ranges,
        normalisation: before.normalisation,
        weightRule: before.weightRule,
        nonces: before.nonces,
        k,
        t,
        counted: entries,
        excluded: shownOfFrozen(excluded),
      });
      await change.moveRound(round, 'freeze');
      await change.note('counted', { sum, text: countedText(round) });
      await noteStandings(change, view, round);
    });
  }

  /** R5: one signature of every site over all these T's. */
  askAttestation(view: RunView, sums: readonly number[]): Promise<void> {
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      const deadlineMs = change.nowMs + view.plan.quorum.deadline;
      for (const sum of sums) await change.moveRound({ ...roundOf(view, sum), deadlineMs }, 'ask-attestation');
    });
  }

  /** Fixes which attestations certify: all that are there. */
  certify(view: RunView, sums: readonly number[]): Promise<void> {
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      for (const sum of sums) {
        const before = roundOf(view, sum);
        const acts = view.acts.inSlot('attestation', slots.ofAttestation(before.kind, before.epoch, sum));
        const deadlineMs = change.nowMs + view.plan.quorum.deadline;
        await change.moveRound({ ...before, certificate: acts.map((act) => act.digest), deadlineMs }, 'certify');
      }
    });
  }

  /** A share has come since the sum did not open: who is at fault may show now. */
  tryAgain(view: RunView, sum: number): Promise<void> {
    return this.changes.apply(view.run.run, view.run.version, (change) => change.moveRound({ ...roundOf(view, sum) }, 'replace-share'));
  }

  /** No further share will come: the run stops until the operator has decided. */
  block(view: RunView, sum: number): Promise<void> {
    return this.changes.apply(view.run.run, view.run.version, (change) => blockOverSum(change, view, { ...roundOf(view, sum) }));
  }

  /** The plan says to give up at the deadline, and nobody was asked to sign yet. */
  abandon(view: RunView, sum: number, excluded: Excluded): Promise<void> {
    const before = roundOf(view, sum);
    const cause = abandonmentText(view, before);
    return this.changes.apply(view.run.run, view.run.version, async (change) => {
      const outcomes = this.#outcomesOfAbandoned(view, before, excluded, this.#moment(view, change));
      await change.sign('round-abandoned', slots.ofSum(sum), {
        consortium: view.consortium,
        run: before.run,
        e: present(view.epoch.e, 'E'),
        kind: before.kind,
        sum,
        round: before.round,
        attempt: before.attempt,
        reason: cause,
        excluded: outcomes.map(shownOutcome),
      });
      await change.moveRound({ ...before, excluded: outcomes, cause, closedMs: change.nowMs }, 'abandon');
      await closeRun(change, view, {
        event: 'fail',
        cause,
        whatToDo: 'Bring the missing sites back, then launch a new run; or publish a plan whose onDeadline is "wait".',
      });
    });
  }

  #outcomesOfAbandoned(view: RunView, round: RoundRow, missing: Excluded, moment: Moment) {
    const named =
      round.state === 'uploading'
        ? [...round.excluded, ...outcomesAtUpload(view, round, missing, moment)]
        : outcomesAtList(view, round, missing, moment);
    return inSiteOrder([...named, ...readyOutcomes(view, round, sitesOf(view, round), named)]);
  }

  #moment(view: RunView, { nowMs }: RunChange): Moment {
    return {
      nowMs,
      silentMs: (site) => membersOf(view, [site]).map((member) => this.presence.silentMs(member, this.clock.steadyMs()))[0],
    };
  }
}

function abandonmentText(view: RunView, round: RoundRow): string {
  const { sum, state, attempt } = round;
  const needed = `${contributorsNeeded(view, round)} are needed`;
  if (state !== 'uploading')
    return `Sum ${sum} was abandoned at its deadline: ${noncesOf(view, round).length} of ${sitesOf(view, round).length} sites were ready; ${needed}, and its plan gives up a sum that is not complete by then.`;
  const uploads = view.acts.inSlot('contribution', slots.ofAttempt(sum, attempt)).length;
  return `Sum ${sum} was abandoned at its deadline: ${uploads} of ${round.nonces.length} listed sites had uploaded; ${needed}, and its plan gives up a sum that is not complete by then.`;
}

function roundOf(view: RunView, sum: number): RoundRow {
  return present(
    view.rounds.find((round) => round.sum === sum),
    `sum ${sum}`,
  );
}

/** Why sites are not in the set that this sum has to be over; they are not asked again. */
function outsideFixedSet({ fixedSet, excluded }: RoundRow): RoundRow['excluded'] {
  return fixedSet === null ? [] : excluded.filter(({ site }) => !fixedSet.includes(site));
}

function countedText(round: RoundRow): string {
  const others = round.excluded.map(({ site, reason, detail }) => `${site} (${reason}${detail === undefined ? '' : `: ${detail}`})`);
  return `counted ${round.counted.join(', ')}${others.length === 0 ? '' : `; not counted ${others.join(', ')}`}`;
}
