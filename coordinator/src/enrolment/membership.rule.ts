import { MEMBERSHIP_TABLE, type MembershipEvent, type MembershipState, legalEvents, nextState } from '@coferment/consortium';
import { CoordinatorError } from '../errors/index.js';
import type { SiteRow } from './site.entity.js';

/** The one question that every call of a member hangs on. @throws CoordinatorError 'site-left', 'site-revoked' */
export function requireEnrolled(row: Pick<SiteRow, 'site' | 'state'>): void {
  const { site, state } = row;
  switch (state) {
    case 'enrolled':
      return;
    case 'left':
      throw new CoordinatorError('site-left', `"${site}" has left this consortium by its own act. To come back it needs a new invite.`);
    case 'invited':
    case 'pending':
    case 'revoked':
      throw new CoordinatorError('site-revoked', `"${site}" is ${state} in this consortium. Ask the operator for a new invite.`);
  }
}

/** The state after the event. @throws CoordinatorError 'not-pending' naming the state and what is possible in it */
export function moved(row: Pick<SiteRow, 'site' | 'state'>, event: MembershipEvent): MembershipState {
  if (!legalEvents(MEMBERSHIP_TABLE, row.state).includes(event)) throw impossible(row);
  return nextState(MEMBERSHIP_TABLE, row.state, event);
}

export function impossible({ site, state }: Pick<SiteRow, 'site' | 'state'>): CoordinatorError {
  return new CoordinatorError('not-pending', `"${site}" is ${state}: ${NEXT[state]}`);
}

const NEXT: Readonly<Record<MembershipState, string>> = {
  invited: 'nobody has brought its invite yet. Wait until "coferment sites list" shows it as pending.',
  pending: 'it waits for "coferment sites admit" or "refuse".',
  enrolled: 'it is a member already. To end that: coferment sites remove, or coferment revoke.',
  left: 'its membership is over. Invite it again for a new one.',
  revoked: 'its membership is over. Invite it again for a new one.',
};
