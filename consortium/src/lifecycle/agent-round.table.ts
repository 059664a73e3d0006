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
  | 'abandoned';

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
 * - `decline`: something did not verify; nothing more is signed or sent in this round.
 * - `abandon`: the coordinator gave the round up before the freeze.
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
  | 'abandon';

const beforeFreeze = { attest: 'attested', release: 'released', apply: 'applied', decline: 'declined', abandon: 'abandoned' } as const;

/**
 * A site's own view of a round. Whoever falls behind may still attest, release and apply; nobody encrypts after signing T, and a second encryption
 * needs a new attempt with a new nonce. A declined round still lets the site follow the model once its published sum verifies.
 */
export const AGENT_ROUND_TABLE: TransitionTable<AgentRoundState, AgentRoundEvent> = {
  of: "site's round",
  initial: 'idle',
  events: ['train', 'give-nonce', 'lose', 'new-attempt', 'encrypt', 'upload', 'attest', 'release', 'apply', 'decline', 'abandon'],
  transitions: {
    idle: { train: 'trained', ...beforeFreeze },
    trained: { 'give-nonce': 'nonce-given', ...beforeFreeze },
    'nonce-given': { encrypt: 'encrypted', lose: 'trained', 'new-attempt': 'trained', ...beforeFreeze },
    encrypted: { upload: 'uploaded', lose: 'trained', 'new-attempt': 'trained', ...beforeFreeze },
    uploaded: { 'new-attempt': 'trained', ...beforeFreeze },
    attested: { release: 'released', apply: 'applied', decline: 'declined' },
    released: { apply: 'applied', decline: 'declined' },
    declined: { apply: 'applied', abandon: 'abandoned' },
    applied: {},
    abandoned: {},
  },
};
