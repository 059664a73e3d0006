import { MAX_KEY_HOLDERS } from '@coferment/crypto';
import { ConsortiumBudgetError, requireWhole } from './budget.error.js';

/** Largest consortium: exact integers of 48 bits must add up below a plaintext modulus of 57 bits. */
export const MAX_SITES = 511;

export interface QuorumChoice {
  /** Sites. */
  n: number;
  /** Sites that may collude with the operator, the operator's own included. */
  c?: number;
  /** Key holders. */
  m?: number;
  /** Threshold of holders that opens a sum. */
  tau?: number;
  minContributors?: number;
}

export interface QuorumNumbers {
  sites: number;
  keyHolders: number;
  threshold: number;
  collusion: number;
  minContributors: number;
  /** ρ: signatures that make a certificate. Two certificates for one key would need an honest site to sign twice, since 2ρ > n + c. */
  attestQuorum: number;
  /** Sites that may be away while a certificate is made. */
  attestAbsences: number;
}

/**
 * Committee and quorum of n sites: m = min(n, 7), τ = ⌊2m/3⌋ + 1, c = min(τ−1, ⌊(n−1)/2⌋), minContributors = max(3, c + 2), ρ = ⌊(n+c)/2⌋ + 1
 * where not chosen. Throws 'quorum-impossible' unless τ ≥ c+1, max(3, c+2) ≤ minContributors ≤ n and ρ ≤ n.
 */
export function quorumNumbers({ n, c, m, tau, minContributors }: QuorumChoice): QuorumNumbers {
  requireWhole('The number of sites', n, 3, MAX_SITES);
  const keyHolders = m ?? Math.min(n, 7);
  requireWhole('The number of key holders', keyHolders, 2, Math.min(n, MAX_KEY_HOLDERS));
  const threshold = tau ?? Math.floor((2 * keyHolders) / 3) + 1;
  requireWhole('The threshold', threshold, 2, keyHolders);
  const collusion = c ?? Math.min(threshold - 1, Math.floor((n - 1) / 2));
  requireWhole('The collusion bound', collusion, 0, n - 1);
  const leastContributors = Math.max(3, collusion + 2);
  const contributors = minContributors ?? leastContributors;
  requireWhole('minContributors', contributors, 1, n);
  const attestQuorum = Math.floor((n + collusion) / 2) + 1;
  if (threshold < collusion + 1) {
    throw new ConsortiumBudgetError(
      'quorum-impossible',
      `Threshold ${threshold} with ${collusion} colluding sites: they could open any sum alone. Raise the threshold to ${collusion + 1} or lower the bound.`,
    );
  }
  if (contributors < leastContributors) {
    throw new ConsortiumBudgetError(
      'quorum-impossible',
      `minContributors ${contributors} with ${collusion} colluding sites: a sum could hold one honest site only. Use at least ${leastContributors}.`,
    );
  }
  if (attestQuorum > n) {
    throw new ConsortiumBudgetError(
      'quorum-impossible',
      `The attest quorum for ${n} sites of which ${collusion} collude is ${attestQuorum}: more than there are sites. Lower the bound.`,
    );
  }
  return { sites: n, keyHolders, threshold, collusion, minContributors: contributors, attestQuorum, attestAbsences: n - attestQuorum };
}
