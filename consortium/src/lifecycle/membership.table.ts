import type { TransitionTable } from './transition.table.js';

/**
 * The life of one membership. `left` and `revoked` are final: whoever comes back is invited again under the name, and that is a new life with a new row of
 * everything. `pending` exists only for invites that do not admit by themselves.
 */
export type MembershipState = 'invited' | 'pending' | 'enrolled' | 'left' | 'revoked';

/**
 * - `invite`: another invite for a name that nobody has used yet.
 * - `ask`: somebody brings the invite; the identity key is pinned. Asking again is how it finds out whether it was admitted.
 * - `enrol`: the operator admits it, or the invite does.
 * - `refuse`, `revoke`: the operator's word, before and after. `leave`: the site's own.
 */
export type MembershipEvent = 'invite' | 'ask' | 'enrol' | 'refuse' | 'leave' | 'revoke';

export const MEMBERSHIP_TABLE: TransitionTable<MembershipState, MembershipEvent> = {
  of: 'membership',
  initial: 'invited',
  events: ['invite', 'ask', 'enrol', 'refuse', 'leave', 'revoke'],
  transitions: {
    invited: { invite: 'invited', ask: 'pending', enrol: 'enrolled', revoke: 'revoked' },
    pending: { ask: 'pending', enrol: 'enrolled', refuse: 'revoked', revoke: 'revoked' },
    enrolled: { ask: 'enrolled', leave: 'left', revoke: 'revoked' },
    left: {},
    revoked: {},
  },
};
