import { type BothBack, holding } from './holding.scenario.js';
import { plan } from './scenario.plan.js';
import {
  abort,
  atOnce,
  both,
  cannot,
  confirmsAre,
  consents,
  deadlinePasses,
  epochIs,
  garbles,
  gracePasses,
  leaves,
  losesObjects,
  renew,
  restarts,
  returns,
  runIs,
  siteIs,
  sleeps,
  sumCollects,
  sumIs,
  timeStands,
  moment,
  pauses,
  withdraws,
} from './scenario.steps.js';
import { standstills } from './standstill.scenario.js';
import type { Moment } from './stopped.consortium.js';

/** One run, by its plan and by what happens in it. */
export interface Scenario {
  name: string;
  plan: string;
  moments: Moment[];
  ends: 'completed' | 'aborted' | 'failed';
}

/** Runs that one consortium plays one after the other. */
export interface Play {
  sites: string[];
  scenarios: Scenario[];
}

const FIVE = ['alder', 'birch', 'cedar', 'dogwood', 'elder'];
export const FOUR = ['alder', 'birch', 'cedar', 'dogwood'];

/** Where nothing but the stops happens: every site counts, so that lost nonces lead to new attempts. */
export const UNDISTURBED = plan('undisturbed');

const update = (state: Parameters<typeof sumIs>[1]) => sumIs('update', state);
const [holder, contributor] = ['birch', 'dogwood'];
const bothAre = (state: Parameters<typeof siteIs>[1]) => both(siteIs(holder, state), siteIs(contributor, state));

/** Where a first stop may have kept a site from being where it was to be. */
const repeated = (times: number, moments: readonly Moment[]): Moment[] => Array.from({ length: times }, () => moments).flat();

/** The list is closed, and neither has encrypted. */
const ready = both(update('uploading'), bothAre('nonce-given'));

/** A ciphertext is lost, or its upload never ends. */
const losses: Scenario = {
  name: 'lost bytes',
  plan: UNDISTURBED,
  ends: 'completed',
  moments: [
    moment(update('training'), cannot(holder, 'upload'), cannot(contributor, 'upload')),
    moment(bothAre('encrypted'), losesObjects(holder), losesObjects(contributor), returns(holder, contributor)),
    moment(update('ready'), cannot(holder, 'upload'), cannot(contributor, 'upload')),
    moment(bothAre('encrypted'), (consortium) => consortium.absent.add(holder).add(contributor)),
    moment(update('ready'), returns(holder, contributor)),
    // Further attempts: once these two have given nonces and do not encrypt, once they have uploaded and another one has not.
    ...repeated(2, [moment(ready, leaves(holder, contributor)), moment(update('ready'), returns(holder, contributor))]),
    ...repeated(3, [moment(ready, leaves('alder')), moment(update('ready'), returns('alder'))]),
  ],
};

/** A key epoch is renewed in every state that a sum can be in, and with sites in every state that they can be in. */
const renewals: Scenario = {
  name: 'renewals',
  plan: UNDISTURBED,
  ends: 'completed',
  moments: [
    moment(confirmsAre('frozen', 'uploading'), renew()),
    moment(both(epochIs(2), update('training')), cannot(holder, 'submitNonce'), cannot(contributor, 'submitNonce')),
    moment(bothAre('trained'), renew(), returns(holder, contributor)),
    moment(both(epochIs(3), sumIs('confirm', 'closed')), sleeps('cedar')),
    moment(both(update('training'), bothAre('nonce-given')), renew(), returns('cedar')),
    moment(both(epochIs(4), sumCollects('update'), siteIs(holder, 'nonce-given')), restarts(holder)),
    moment(update('ready'), renew()),
    moment(both(epochIs(5), sumIs('confirm', 'closed')), withdraws(holder), withdraws(contributor)),
    moment(both(update('training'), bothAre('declined')), renew(), consents(holder), consents(contributor)),
    moment(both(epochIs(6), update('training')), cannot(holder, 'upload'), cannot(contributor, 'upload')),
    moment(both(update('uploading'), bothAre('encrypted')), renew(), returns(holder, contributor)),
    moment(both(epochIs(7), update('uploading')), sleeps('cedar')),
    moment(both(update('uploading'), bothAre('uploaded')), renew(), returns('cedar')),
    moment(both(epochIs(8), update('attesting')), sleeps('alder', 'cedar')),
    moment(both(update('attesting'), bothAre('attested')), renew(), returns('alder', 'cedar')),
    moment(both(epochIs(9), update('decrypting')), sleeps('cedar')),
    moment(both(update('decrypting'), siteIs(holder, 'released')), renew(), returns('cedar')),
    moment(both(epochIs(10), update('attesting')), garbles(holder)),
    moment(runIs('stuck'), garbles(holder, false), renew()),
  ],
};

/** Three of four shares open the sum, one of them is noise, and the fourth may still come: nobody is waited for by the clock. */
const shareIsNoise = (epoch: number): Moment[] => [
  moment(both(epochIs(epoch), update('attesting')), garbles(holder)),
  moment(update('decrypting'), sleeps('dogwood')),
  moment(both(update('decrypting'), siteIs('cedar', 'released')), gracePasses, timeStands),
];

function behind(name: string, { ways, declined }: { ways: BothBack[]; declined: 'trained' | 'nonce-given' }): Scenario {
  const { moments, rounds } = holding(ways, declined);
  return { name, plan: plan('holding', { holders: 4, contributors: 3, rounds }), moments, ends: 'completed' };
}

export const PLAYS: Record<string, Play> = {
  holding: {
    sites: FIVE,
    scenarios: [
      behind('sites fall behind in every state, and are back while the sum is open', {
        ways: [
          { contributor: 'attesting', holder: 'attesting' },
          { contributor: 'attesting', holder: 'decrypting' },
        ],
        declined: 'trained',
      }),
    ],
  },
  missing: {
    sites: FIVE,
    scenarios: [
      behind('sites fall behind in every state, and one is back when the sum is closed', {
        ways: [
          { contributor: 'closed', holder: 'attesting' },
          { contributor: 'attesting', holder: 'closed' },
        ],
        declined: 'nonce-given',
      }),
    ],
  },
  standstills: {
    sites: FOUR,
    scenarios: [
      { name: 'sums stand still', plan: plan('standstills', { contributors: 3, rounds: 2 }), moments: standstills, ends: 'completed' },
    ],
  },
  undisturbed: { sites: FOUR, scenarios: [{ name: 'undisturbed', plan: UNDISTURBED, moments: [], ends: 'completed' }] },
  losses: { sites: FOUR, scenarios: [losses] },
  renewals: { sites: FOUR, scenarios: [renewals] },
  opening: {
    sites: FOUR,
    scenarios: [
      {
        name: 'a share is noise, the sum stays closed, and a new epoch opens it',
        plan: plan('garbled', { holders: 4 }),
        ends: 'completed',
        moments: [
          ...shareIsNoise(1),
          moment(update('garbled'), garbles(holder, false), renew(), returns('dogwood')),
          ...shareIsNoise(2),
          moment(update('garbled'), returns('dogwood')),
          moment(runIs('stuck'), garbles(holder, false), renew()),
        ],
      },
    ],
  },
  endings: {
    sites: FOUR,
    scenarios: [
      { name: 'aborted before it began', plan: plan('early'), ends: 'aborted', moments: [moment(runIs('awaiting-approval'), abort)] },
      {
        name: 'aborted with sites that have declined',
        plan: plan('running'),
        ends: 'aborted',
        moments: [moment(runIs('running'), withdraws(holder), withdraws(contributor)), moment(bothAre('declined'), abort)],
      },
      {
        name: 'stuck over a key and aborted',
        plan: plan('stuck'),
        ends: 'aborted',
        moments: [moment(atOnce, garbles(holder)), moment(runIs('stuck'), garbles(holder, false), abort)],
      },
      {
        name: 'failed over a key',
        plan: plan('unconfirmed', { onDeadline: 'abandon' }),
        ends: 'failed',
        moments: [
          moment(sumIs('confirm', 'training'), sleeps(contributor)),
          moment(confirmsAre('frozen', 'training'), deadlinePasses),
          moment(runIs('failed'), returns(contributor)),
        ],
      },
      {
        name: 'failed over a sum',
        plan: plan('unsummed', { onDeadline: 'abandon' }),
        ends: 'failed',
        moments: [
          moment(runIs('running'), cannot(contributor, 'upload')),
          moment(both(sumIs('statistics', 'uploading'), siteIs(contributor, 'encrypted')), deadlinePasses),
          moment(runIs('failed'), returns(contributor)),
        ],
      },
      {
        name: 'aborted with sites that have trained and given nonces',
        plan: plan('ceremony', { holders: 2, threshold: 2 }),
        ends: 'aborted',
        moments: [
          moment(runIs('key-ceremony'), cannot('alder', 'submitNonce'), cannot('cedar', 'submitNonce')),
          moment(
            both(siteIs('alder', 'trained'), siteIs('birch', 'nonce-given'), siteIs('cedar', 'trained'), siteIs('dogwood', 'nonce-given')),
            returns('alder', 'cedar'),
            abort,
          ),
        ],
      },
      {
        name: 'paused with sites that have encrypted and uploaded, and aborted',
        plan: plan('paused', { holders: 2, threshold: 2 }),
        ends: 'aborted',
        moments: [
          moment(runIs('running'), cannot('alder', 'upload'), cannot('cedar', 'upload')),
          moment(
            both(siteIs('alder', 'encrypted'), siteIs('birch', 'uploaded'), siteIs('cedar', 'encrypted'), siteIs('dogwood', 'uploaded')),
            pauses,
          ),
          moment(runIs('paused'), returns('alder', 'cedar'), abort),
        ],
      },
      {
        name: 'failed over a second attempt',
        plan: plan('unrepeated', { onDeadline: 'abandon' }),
        ends: 'failed',
        moments: [
          moment(both(sumCollects('statistics'), siteIs(holder, 'nonce-given')), restarts(holder)),
          moment(sumIs('statistics', 'ready'), sleeps(contributor)),
          moment(both(sumIs('statistics', 'ready'), siteIs(holder, 'nonce-given')), deadlinePasses),
          moment(runIs('failed'), returns(contributor)),
        ],
      },
    ],
  },
};
