import { epochSites, type Plan, type QuorumNumbers, resolveQuorum, type Roster } from '@coferment/consortium';
import type { AggregationParameters } from '@coferment/crypto';
import { planParameters } from './roster.policy.js';

/** What this site remembers of other runs, as far as rules ask for it. */
export interface SiteHistory {
  /** Site lists of earlier runs that were approved here: of the last one, and of every one of the same plan. */
  earlierSites: readonly (readonly string[])[];
  /** Training rounds of all runs in which this site was asked for an update since the month began, those of this run included. */
  roundsThisMonth: number;
  /** Total ε of the runs before this one. */
  epsilonSpent: number;
}

/** Everything that rules look at. Numbers are those that this site has worked out or checked itself, never just what it was told. */
export interface PolicyFacts {
  plan: Plan;
  numbers: QuorumNumbers;
  /** All sites of the run, sorted. */
  sites: readonly string[];
  /** Those that may contribute: in a later key epoch some can be left out. */
  contributing: readonly string[];
  parameters: AggregationParameters;
  /** ε that a run of the plan costs; null where the plan has no differential privacy, so that no ε bounds what its sums tell. */
  epsilon: number | null;
  history: SiteHistory;
}

/** @throws ConsortiumError 'impossible-quorum' */
export function factsOfRequest(plan: Plan, sites: readonly string[], history: SiteHistory): PolicyFacts {
  return {
    plan,
    numbers: resolveQuorum(plan, sites.length),
    sites,
    contributing: sites,
    parameters: planParameters(plan, sites.length),
    // Plans with differential privacy are refused by the plan format of this version.
    epsilon: plan.privacy.differentialPrivacy,
    history,
  };
}

/** The numbers of the roster itself: it can be over fewer sites than were asked. */
export function factsOfRoster(plan: Plan, roster: Roster, history: SiteHistory): PolicyFacts {
  const sites = roster.sites.map(({ site }) => site);
  const { numbers, parameters } = roster;
  return { plan, numbers, sites, contributing: epochSites(roster), parameters, epsilon: plan.privacy.differentialPrivacy, history };
}
