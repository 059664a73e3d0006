import { epochStage, missingAcknowledgements, sitesWithout } from '../epochs/epoch.stage.js';
import type { RoundRow } from '../rounds/round.entity.js';
import { contributorsNeeded, declinedSites, noncesOf, sitesLeft } from '../rounds/round.participants.js';
import { notWaitedFor } from '../rounds/standing.rule.js';
import { standingRefusals } from './run.refusals.js';
import { type RunView, isOver, openRounds, sitesOf } from './run.view.js';
import { slots } from './slot.names.js';
import { startText } from './start.time.js';
import { waysOn } from './stuck.ways.js';

/** What a run waits for, and what a person can do about it. */
export interface Waiting {
  /** Sites, each once, sorted. */
  waitingFor: string[];
  /** 0 where no deadline runs. */
  deadlineMs: number;
  whatToDo: string;
}

const NOTHING: Waiting = { waitingFor: [], deadlineMs: 0, whatToDo: '' };

export function waitingOf(view: RunView): Waiting {
  const waiting = waitingOfSites(view);
  if (standsStill(view) || (waiting.waitingFor.length === 0 && waiting.whatToDo === '')) return waiting;
  // First of all, why a site does not do it: no waiting helps against a rule.
  const stayOut = waiting.whatToDo === '' ? [] : openRounds(view).flatMap((round) => [...declinedSites(view, round)]);
  // Whoever has left the epoch refuses everything in it: that is said once, with what to do.
  const left = sitesLeft(view);
  const asked = [...waiting.waitingFor, ...stayOut].filter((site) => !left.includes(site));
  const refused = standingRefusals(view, asked).map((text) => `${text}.`);
  return { ...waiting, whatToDo: [...refused, waiting.whatToDo].filter((text) => text !== '').join(' ') };
}

function waitingOfSites(view: RunView): Waiting {
  if (standsStill(view)) return { ...NOTHING, whatToDo: view.run.whatToDo, ...(view.run.state === 'stuck' ? waysOn(view) : {}) };
  if (view.run.state === 'awaiting-approval') {
    const missing = view.run.sites.filter((site) => !view.acts.has('plan-approved', site, slots.ofRun()));
    if (missing.length === 0) return { ...NOTHING, whatToDo: startText(view) };
    return on(missing, [approvalText(view), startText(view)].filter((text) => text !== '').join(' '), view.run.approveByMs ?? 0);
  }
  const waiting = view.epoch.e === null ? waitingInEpoch(view) : waitingInSums(view);
  const left = sitesLeft(view);
  return left.length === 0 ? waiting : { ...waiting, whatToDo: afterLeaving(view, left) };
}

/** Nothing is asked of its sites before the operator has decided, if ever. */
function standsStill(view: RunView): boolean {
  return isOver(view) || view.run.state === 'stuck' || view.run.state === 'paused';
}

function approvalText({ run }: RunView): string {
  const approve = `Each of these sites approves the plan: coferment-agent plans approve ${run.plan}.`;
  if (run.approveByMs === null) return `${approve} The run waits for all of them; to end it: coferment abort ${run.run}`;
  return `${approve} When the time is over the run goes on among those that have approved, or ends if they are too few.`;
}

/** Said before anything else: no waiting brings such a site back into the epoch. */
function afterLeaving({ run, epoch }: RunView, left: readonly string[]): string {
  return (
    `${left.join(', ')} restored a data folder from a backup and can do nothing more in key epoch ${epoch.epoch}. ` +
    `Start a new one, for all sites or without some: coferment epochs renew ${run.run}`
  );
}

function waitingInSums(view: RunView): Waiting {
  const waits = openRounds(view).map((round) => waitingInRound(view, round));
  return {
    waitingFor: [...new Set(waits.flatMap((wait) => wait.waitingFor))].sort(),
    deadlineMs: Math.max(0, ...waits.map((wait) => wait.deadlineMs)),
    whatToDo: waits.find((wait) => wait.whatToDo !== '')?.whatToDo ?? '',
  };
}

function waitingInEpoch(view: RunView): Waiting {
  switch (epochStage(view)) {
    case 'offering-keys':
      return on(sitesWithout(view, 'sealing-key'), 'Their agents must be running: coferment-agent serve');
    case 'approving-roster': {
      const { fingerprint } = view.epoch;
      return on(
        sitesWithout(view, 'roster-approved'),
        `Compare the fingerprint over another channel (coferment roster show ${view.run.run}); each site then runs: coferment-agent roster approve ${fingerprint}`,
      );
    }
    case 'dealing':
      return on(
        [...sitesWithout(view, 'dealing'), ...missingAcknowledgements(view).map(({ holder }) => holder)],
        'Their agents must be running: coferment-agent serve',
      );
    case 'agreeing':
      return on(sitesWithout(view, 'epoch-agreed'), 'Their agents must be running: coferment-agent serve');
    case 'agreed':
      return NOTHING;
  }
}

function waitingInRound(view: RunView, round: RoundRow): Waiting {
  const { numbers, keyHolders } = view.epoch.roster;
  const attempt = slots.ofAttempt(round.sum, round.attempt);
  const declined = declinedSites(view, round);
  switch (round.state) {
    case 'training':
    case 'ready': {
      const ready = noncesOf(view, round).length;
      const needed = contributorsNeeded(view, round);
      const asked = sitesOf(view, round).filter((site) => !view.acts.has('nonce', site, attempt) && !declined.has(site));
      const aside = notWaitedFor(view, round);
      // Below the number that the sum needs, whoever is set aside is waited for like everybody.
      const missing = asked.filter((site) => ready < needed || !aside.has(site));
      const needsAside = missing.filter((site) => aside.has(site));
      const fixed = round.fixedSet === null ? '' : ' It completes a sum that was frozen over exactly these sites.';
      const whatToDo =
        round.kind !== 'confirm' && ready < needed
          ? `${ready} sites are ready; the sum needs ${needed}.${fixed} ${missing.length > 0 ? `See that their agents run and have data.${asideText(needsAside)}` : askedAgain(view)}`
          : '';
      // Also where every site has answered: a run that waits for nobody in particular has to say so.
      return { ...on(missing, '', round.deadlineMs), whatToDo };
    }
    case 'uploading': {
      const missing = round.nonces
        .map((entry) => entry.site)
        .filter((site) => !view.acts.has('contribution', site, attempt) && !declined.has(site));
      const aside = notWaitedFor(view, round);
      const uploads = view.acts.inSlot('contribution', attempt).length;
      const enough = uploads >= contributorsNeeded(view, round);
      return on(
        missing.filter((site) => !enough || !aside.has(site)),
        '',
        round.deadlineMs,
      );
    }
    case 'attesting': {
      const slot = slots.ofAttestation(round.kind, round.epoch, round.sum);
      const missing = view.run.sites.filter((site) => !view.acts.has('attestation', site, slot));
      const signed = view.run.sites.length - missing.length;
      return on(
        missing.filter((site) => !view.epoch.roster.leftOut.includes(site)),
        signed < numbers.rho ? `${signed} of ${numbers.rho} needed sites have signed the counted set; ${beforeItStops(round)}` : '',
        signed < numbers.rho ? round.deadlineMs : 0,
      );
    }
    case 'decrypting':
    case 'garbled': {
      const missing = keyHolders.map((holder) => holder.site).filter((site) => !view.acts.has('share', site, slots.ofSum(round.sum)));
      const given = keyHolders.length - missing.length;
      return on(
        missing,
        given < numbers.tau
          ? `${given} of ${numbers.tau} needed key holders have given their decryption share; ${beforeItStops(round)}`
          : '',
        given < numbers.tau ? round.deadlineMs : 0,
      );
    }
    case 'frozen':
    case 'applying':
    case 'closed':
    case 'abandoned':
    case 'stalled':
    case 'stuck':
    case 'superseded':
      return NOTHING;
  }
}

/** Without those that are set aside the sum has too few: it does not shrink, and says whom it needs. */
function asideText(sites: readonly string[]): string {
  return sites.length === 0 ? '' : ` ${sites.join(', ')}: set aside, and needed now that too few others are ready.`;
}

/** Confirmations wait as long as they must: the key ceremony can be begun anew at any time. */
function beforeItStops({ kind, run }: RoundRow): string {
  if (kind === 'confirm') return `more agents must run. Or begin the key ceremony anew: coferment epochs renew ${run}`;
  return 'more agents must run. After the deadline, if too few can, the run is stuck until they do or you decide.';
}

/** Who stays out of a sum is asked once. Under the number that it gets in a new key epoch, all are asked again. */
function askedAgain({ run }: RunView): string {
  return `All sites have answered and the others stay out. When one of them takes part again, start a new key epoch: coferment epochs renew ${run.run}`;
}

function on(sites: readonly string[], whatToDo: string, deadlineMs = 0): Waiting {
  return { waitingFor: [...new Set(sites)].sort(), deadlineMs, whatToDo: sites.length === 0 ? '' : whatToDo };
}
