import type { AgentRoundState } from '@coferment/consortium';
import { both, cannot, consents, leaves, moment, returns, siteIs, sumIs, withdraws } from './scenario.steps.js';
import type { Moment } from './stopped.consortium.js';

export const FIVE = ['alder', 'birch', 'cedar', 'dogwood', 'elder'];
const [HOLDER, CONTRIBUTOR] = ['birch', 'elder'];

/** Where a site stops in a round, and in which state of the sum it is back. `closed`: when the next sum is open. */
type Back = 'attesting' | 'decrypting' | 'closed';
const HELD: [AgentRoundState, contributor: Back, holder: Back][] = (
  ['idle', 'trained', 'nonce-given', 'encrypted', 'uploaded'] as const
).flatMap((state) => [
  [state, 'attesting', 'attesting'],
  [state, 'attesting', 'decrypting'],
  [state, 'closed', 'attesting'],
  [state, 'attesting', 'closed'],
]);
const DECLINING = ['trained', 'nonce-given'] as const;

export const HOLDING_ROUNDS = HELD.length + DECLINING.length;

/** Calls whose failing keeps a site where it is; in the other states it stays between two polls. */
const KEEPS: Partial<Record<AgentRoundState, 'submitNonce' | 'upload'>> = { trained: 'submitNonce', encrypted: 'upload' };

function keepIn(state: AgentRoundState, round: number): Moment[] {
  if (state === 'idle') return [moment(sumIs('update', 'training', round), leaves(HOLDER, CONTRIBUTOR))];
  const call = KEEPS[state];
  const opening = sumIs('update', 'training', round);
  return [moment(opening, ...(call === undefined ? [] : [cannot(HOLDER, call), cannot(CONTRIBUTOR, call)]))];
}

const bothAre = (state: AgentRoundState) => both(siteIs(HOLDER, state), siteIs(CONTRIBUTOR, state));

/** One round for each way to fall behind: whoever comes back late still signs, opens and follows, from wherever it was. */
export const holding: Moment[] = [
  ...HELD.flatMap(([state, contributor, holder], index) => {
    const round = index + 1;
    const back = (site: string, when: Back): Moment =>
      moment(when === 'closed' ? sumIs('update', 'training', round + 1) : sumIs('update', when, round), returns(site));
    const order: Back[] = ['attesting', 'decrypting', 'closed'];
    const returning = [
      { site: HOLDER, when: holder },
      { site: CONTRIBUTOR, when: contributor },
    ].sort((a, b) => order.indexOf(a.when) - order.indexOf(b.when));
    return [
      ...keepIn(state, round),
      ...(state === 'idle' ? [] : [moment(bothAre(state), leaves(HOLDER, CONTRIBUTOR))]),
      ...returning.map(({ site, when }) => back(site, when)),
    ];
  }),
  ...DECLINING.flatMap((state, index) => {
    const round = HELD.length + index + 1;
    return [
      ...keepIn(state, round),
      moment(bothAre(state), withdraws(HOLDER), withdraws(CONTRIBUTOR), returns(HOLDER, CONTRIBUTOR)),
      moment(bothAre('declined'), consents(HOLDER), consents(CONTRIBUTOR)),
    ];
  }),
];
