import { digest } from '@coferment/crypto';
import type { SumKind } from '../statements/index.js';
import { WIRE_MAJOR } from './wire.version.js';

export interface EpochIdentity {
  consortium: string;
  run: string;
  /** The run's ordinal among the runs of its plan, from 1. */
  ordinal: number;
  epoch: number;
  plan: string;
  roster: string;
}

export interface DealingReference {
  site: string;
  dealing: string;
}

/** What a sum is about. Agents recompute every field; none is taken from the coordinator (secure-aggregation.md R1). */
export interface InputParts {
  plan: string;
  kind: SumKind;
  /** Digest of the model the site trained from, or `none`. */
  modelIn: string;
  ranges: string;
  /** Digest of what inputs and targets are scaled by: a site told another would compute another update from the same model. */
  normalisation: string;
  weightRule: string;
}

export interface NonceEntry {
  site: string;
  nonce: string;
}

export interface CountedEntry {
  site: string;
  merkleRoot: string;
}

/** Digest that stands for the ranges of sums whose layout has none. */
export const NO_RANGES = digest('ranges', 'none');

/** Digest that stands for the normalisation of sums that start from no model. */
export const NO_NORMALISATION = digest('normalisation', 'none');

/** E0 (S1). Bound to the major wire version only: members one minor version apart share rounds. */
export function epochZero(identity: EpochIdentity): string {
  const { consortium, run, ordinal, epoch, plan, roster } = identity;
  return digest('E0', consortium, WIRE_MAJOR, run, ordinal, epoch, plan, roster);
}

/** E (S3): dealings in site order, then the sites left out. */
export function epochContext(e0: string, dealings: readonly DealingReference[], leftOut: readonly string[]): string {
  return digest(
    'E',
    e0,
    dealings.map((entry) => [entry.site, entry.dealing]),
    [...leftOut],
  );
}

/** I (R1). */
export function inputContext(parts: InputParts): string {
  return digest('input', parts.plan, parts.kind, parts.modelIn, parts.ranges, parts.normalisation, parts.weightRule);
}

/** K (R2). The list must already be sorted by site; `checkNonceList` refuses any other. */
export function roundContext(parts: { e: string; i: string; sum: number; attempt: number; nonces: readonly NonceEntry[] }): string {
  return digest(
    'round',
    parts.e,
    parts.i,
    parts.sum,
    parts.attempt,
    parts.nonces.map((entry) => [entry.site, entry.nonce]),
  );
}

/** T (R4). */
export function freezeContext(k: string, counted: readonly CountedEntry[]): string {
  return digest(
    'freeze',
    k,
    counted.map((entry) => [entry.site, entry.merkleRoot]),
  );
}

/** H(A): the name of a set of sites, without what they uploaded. */
export function setDigest(sites: readonly string[]): string {
  return digest('set', [...sites]);
}

/** Runs are named by their ordinal and plan, so a run id never means two things. */
export function runId(plan: string, ordinal: number): string {
  return `r${ordinal}-${plan.slice(0, 16)}`;
}

/**
 * The largest sum number a run may use: confirms of each epoch, one statistics, every round with its retries, one evaluation, and for each later epoch
 * the sum that it completes under a new number.
 */
export function maximumSum(parts: { sites: number; epochs: number; rounds: number; retries: number }): number {
  return parts.sites * parts.epochs + 1 + parts.rounds + parts.retries + 1 + (parts.epochs - 1);
}
