import type { TransitionTable } from './transition.table.js';

export type RoundState =
  | 'training'
  | 'ready'
  | 'uploading'
  | 'frozen'
  | 'attesting'
  | 'decrypting'
  | 'applying'
  | 'closed'
  | 'abandoned'
  | 'garbled'
  | 'stalled'
  | 'stuck'
  | 'superseded';

/**
 * - `collect-nonces`: the first site has trained; nonces of this attempt are collected.
 * - `close-list`: the quorum rule closed the list; K is fixed.
 * - `new-attempt`: too few uploads came; fresh nonces, the same vectors. Legal only while nobody was asked to sign.
 * - `freeze`: A and T are fixed, for ever.
 * - `ask-attestation`, `certify`: T is sent to every site; ρ signatures are there.
 * - `combine`: the sum was decoded and passed the parity and residual checks.
 * - `apply`: the next model exists.
 * - `garble`: the shares or the opened sum are wrong; nothing is applied.
 * - `replace-share`: a further share came that may name the wrong one, so decoding is tried again.
 * - `block`: a member of A or a needed holder is gone, or no further share will come.
 * - `stall`: before the freeze, a sum whose set is fixed by an earlier one lacks one of it. Any other set simply goes on without whoever is missing.
 * - `resume-collecting`, `resume-attesting`, `resume-decrypting`: who was waited for is back. Nonces are then collected afresh.
 * - `continue-in-epoch`: the sum becomes a new one of a new key epoch; if it was frozen, over the same A with the same vectors.
 * - `open-new-set`: every site concerned approved another set, knowing that the difference becomes readable.
 */
export type RoundEvent =
  | 'collect-nonces'
  | 'close-list'
  | 'new-attempt'
  | 'freeze'
  | 'ask-attestation'
  | 'certify'
  | 'combine'
  | 'apply'
  | 'garble'
  | 'replace-share'
  | 'stall'
  | 'block'
  | 'resume-collecting'
  | 'resume-attesting'
  | 'resume-decrypting'
  | 'continue-in-epoch'
  | 'open-new-set'
  | 'abandon';

const inNewEpoch = { 'continue-in-epoch': 'superseded' } as const;

/**
 * The life of one sum of any kind. After `frozen` there is no way back to a different set and no `abandon`: trying again with another set from the
 * same model is the differencing attack (secure-aggregation.md §3, stickiness). `superseded` means that a later sum took over; since the operator may
 * start a key epoch at any time, every state leads there in which a sum can be found: `applying` is none, since `combine` and `apply` are one transaction,
 * after the sum was judged.
 */
export const ROUND_TABLE: TransitionTable<RoundState, RoundEvent> = {
  of: 'round',
  initial: 'training',
  events: [
    'collect-nonces',
    'close-list',
    'new-attempt',
    'freeze',
    'ask-attestation',
    'certify',
    'combine',
    'apply',
    'garble',
    'replace-share',
    'stall',
    'block',
    'resume-collecting',
    'resume-attesting',
    'resume-decrypting',
    'continue-in-epoch',
    'open-new-set',
    'abandon',
  ],
  transitions: {
    training: { 'collect-nonces': 'ready', stall: 'stalled', abandon: 'abandoned', ...inNewEpoch },
    ready: { 'close-list': 'uploading', stall: 'stalled', abandon: 'abandoned', ...inNewEpoch },
    uploading: { 'new-attempt': 'ready', freeze: 'frozen', stall: 'stalled', abandon: 'abandoned', ...inNewEpoch },
    frozen: { 'ask-attestation': 'attesting', ...inNewEpoch },
    attesting: { certify: 'decrypting', block: 'stuck', ...inNewEpoch },
    decrypting: { combine: 'applying', garble: 'garbled', block: 'stuck', ...inNewEpoch },
    applying: { apply: 'closed' },
    garbled: { 'replace-share': 'decrypting', block: 'stuck', ...inNewEpoch },
    stalled: { 'resume-collecting': 'ready', ...inNewEpoch, 'open-new-set': 'superseded' },
    stuck: {
      'resume-attesting': 'attesting',
      'resume-decrypting': 'decrypting',
      ...inNewEpoch,
      'open-new-set': 'superseded',
    },
    closed: {},
    abandoned: {},
    superseded: {},
  },
};
