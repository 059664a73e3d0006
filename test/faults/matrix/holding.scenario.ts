import type { AgentRoundState } from '@coferment/consortium';
import { both, cannot, consents, leaves, moment, returns, siteIs, sumIs, withdraws } from './scenario.steps.js';
import type { Moment } from './stopped.consortium.js';

const [HOLDER, CONTRIBUTOR] = ['birch', 'elder'];

/** In which state of the sum a site is back. `closed`: when the next sum is open. */
type Back = 'attesting' | 'decrypting' | 'closed';
const ORDER: Back[] = ['attesting', 'decrypting', 'closed'];

export interface BothBack {
  contributor: Back;
  holder: Back;
}

/** Where the two stop in a round. Whoever has uploaded is counted, so nobody fails five sums in a row and is set aside. */
const STATES = ['idle', 'trained', 'nonce-given', 'encrypted', 'uploaded'] as const;
type Held = (typeof STATES)[number];

/** Calls whose failing keeps a site where it is; in the other states it stays between two polls. */
const KEEPS: Partial<Record<AgentRoundState, 'submitNonce' | 'upload'>> = { trained: 'submitNonce', encrypted: 'upload' };

function keepIn(state: Held, round: number): Moment[] {
  if (state === 'idle') return [moment(sumIs('update', 'training', round), leaves(HOLDER, CONTRIBUTOR))];
  const call = KEEPS[state];
  const opening = sumIs('update', 'training', round);
  return [moment(opening, ...(call === undefined ? [] : [cannot(HOLDER, call), cannot(CONTRIBUTOR, call)]))];
}

const bothAre = (state: AgentRoundState) => both(siteIs(HOLDER, state), siteIs(CONTRIBUTOR, state));

function held(state: Held, { contributor, holder }: BothBack, round: number): Moment[] {
  const back = (site: string, when: Back): Moment =>
    moment(when === 'closed' ? sumIs('update', 'training', round + 1) : sumIs('update', when, round), returns(site));
  const returning = [
    { site: HOLDER, when: holder },
    { site: CONTRIBUTOR, when: contributor },
  ].sort((a, b) => ORDER.indexOf(a.when) - ORDER.indexOf(b.when));
  return [
    ...keepIn(state, round),
    ...(state === 'idle' ? [] : [moment(bothAre(state), leaves(HOLDER, CONTRIBUTOR))]),
    ...returning.map(({ site, when }) => back(site, when)),
  ];
}

function declining(state: 'trained' | 'nonce-given', round: number): Moment[] {
  return [
    ...keepIn(state, round),
    moment(bothAre(state), withdraws(HOLDER), withdraws(CONTRIBUTOR), returns(HOLDER, CONTRIBUTOR)),
    moment(bothAre('declined'), consents(HOLDER), consents(CONTRIBUTOR)),
  ];
}

/** One round for each state to fall behind in, for each way to come back; then they decline in a last one. Whoever comes back late still signs, opens and follows. */
export function holding(ways: readonly BothBack[], declined: 'trained' | 'nonce-given'): { moments: Moment[]; rounds: number } {
  const cases = ways.flatMap((way) => STATES.map((state) => ({ state, way })));
  const rounds = cases.length + 1;
  return { rounds, moments: [...cases.flatMap(({ state, way }, index) => held(state, way, index + 1)), ...declining(declined, rounds)] };
}
