import type { TransitionTable } from './transition.table.js';

export type AgentRoundState =
  | 'idle'
  | 'trained'
  | 'nonce-given'
  | 'encrypted'
  | 'uploaded'
  | 'attested'
  | 'released'
  | 'applied'
  | 'declined'
  | 'abandoned'
  | 'superseded';

/**
 * - `train`: the quantised vector is stored; it is the only one this site will ever encrypt for (plan, kind, model-in).
 * - `give-nonce`: a fresh nonce is in memory and sent.
 * - `lose`: the nonce (restart) or the ciphertext bytes are gone; this attempt is over for this site, the vector stays.
 * - `new-attempt`: the coordinator opened another attempt before the freeze.
 * - `encrypt`: the counter and ALL ciphertext bytes are stored.
 * - `upload`: every byte and the upload statement were accepted.
 * - `attest`: T and A are stored and T is signed. A site that did not contribute attests too.
 * - `release`: the holder's share is stored, then sent. A holder may release without having signed.
 * - `apply`: the published sum was verified and the next model computed.
 * - `decline`: this site sits the sum out, by its rules, its people or for want of data; nothing more is signed or sent in this round.
 * - `abandon`: the run ended before the freeze.
 * - `supersede`: a stuck sum goes on as another one: the same set in a new key epoch, or a newly approved set.
 */
export type AgentRoundEvent =
  | 'train'
  | 'give-nonce'
  | 'lose'
  | 'new-attempt'
  | 'encrypt'
  | 'upload'
  | 'attest'
  | 'release'
  | 'apply'
  | 'decline'
  | 'abandon'
  | 'supersede';

const everywhere = { apply: 'applied', supersede: 'superseded' } as const;
const behind = { attest: 'attested', release: 'released' } as const;
const unsigned = { ...behind, abandon: 'abandoned', ...everywhere } as const;
const declinable = { ...unsigned, decline: 'declined' } as const;

/**
 * A site's own view of a round. Whoever falls behind may still attest, release and apply; nobody encrypts after signing T, and a second encryption
 * needs a new attempt with a new nonce. Of a round that this site did nothing in, nothing is kept that could be abandoned or superseded; and once its bytes
 * are encrypted, it can no longer decline: they may have been sent. A declined round still lets the site follow the model once its published sum verifies.
 */
export const AGENT_ROUND_TABLE: TransitionTable<AgentRoundState, AgentRoundEvent> = {
  of: "site's round",
  initial: 'idle',
  events: [
    'train',
    'give-nonce',
    'lose',
    'new-attempt',
    'encrypt',
    'upload',
    'attest',
    'release',
    'apply',
    'decline',
    'abandon',
    'supersede',
  ],
  transitions: {
    idle: { train: 'trained', decline: 'declined', apply: 'applied', ...behind },
    trained: { 'give-nonce': 'nonce-given', ...declinable },
    'nonce-given': { encrypt: 'encrypted', lose: 'trained', 'new-attempt': 'trained', ...declinable },
    encrypted: { upload: 'uploaded', lose: 'trained', 'new-attempt': 'trained', ...unsigned },
    uploaded: { 'new-attempt': 'trained', ...unsigned },
    attested: { release: 'released', ...everywhere },
    released: everywhere,
    declined: { abandon: 'abandoned', ...everywhere },
    applied: {},
    abandoned: {},
    superseded: {},
  },
};
