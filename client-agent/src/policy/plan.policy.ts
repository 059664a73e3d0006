import { type Plan, parsePlan, planAggregation, planBytes, resolveQuorum, runId } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';

/** Largest plan that is read: plans are a few kilobytes. */
export const MAX_PLAN_BYTES = 262_144;

/** Reads a plan that came from the coordinator. Only canonical bytes are a plan, so one digest means one plan. */
export function readPlan(bytes: Uint8Array): Plan {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new AgentError('plan-malformed', `The plan is not JSON (${(error as Error).message}). It was not approved.`);
  }
  const plan = parsePlan(document);
  if (sha256Hex(planBytes(plan)) !== sha256Hex(bytes))
    throw new AgentError('plan-malformed', 'The plan is not in its canonical form. It was not approved.');
  return plan;
}

/**
 * What needs no human before a plan is approved: the run's name says plan and ordinal, the site list is sorted and holds this site, and the plan's
 * numbers work out among so many sites.
 * @throws AgentError 'run-misnamed', 'sites-unordered', 'not-a-member', 'not-built-yet', ConsortiumError 'impossible-quorum'
 */
export function checkRunRequest(
  request: { run: string; ordinal: number; plan: string; sites: readonly string[] },
  site: string,
  plan: Plan,
): void {
  const { run, ordinal, sites } = request;
  if (run !== runId(request.plan, ordinal))
    throw new AgentError('run-misnamed', `The run ${run} is not the one of ordinal ${ordinal} of its plan.`);
  const unsorted = sites.find((id, index) => index > 0 && (sites[index - 1] ?? '') >= id);
  if (unsorted !== undefined)
    throw new AgentError('sites-unordered', `The site list of ${run} is not sorted or names "${unsorted}" twice.`);
  if (!sites.includes(site)) throw new AgentError('not-a-member', `This site, "${site}", is not among the sites of ${run}.`);
  if (plan.stopping.patience !== null) {
    throw new AgentError(
      'not-built-yet',
      `The plan has stopping.patience = ${plan.stopping.patience}. Stopping before the last round is not built yet: this site cannot check that the rule asks for it. The plan was not approved; ask for one with stopping.patience = null.`,
    );
  }
  const { n, m, tau } = resolveQuorum(plan, sites.length);
  planAggregation({ sites: n, keyHolders: m, threshold: tau, valueBits: plan.quantisation.valueBits });
}

/** An ordinal must be larger than every one approved for another run of this plan: a run cannot be slipped in behind an approved one. */
export function checkOrdinal(run: string, ordinal: number, largestApproved: number): void {
  if (ordinal > largestApproved) return;
  throw new AgentError(
    'ordinal-not-growing',
    `${run} has ordinal ${ordinal}, but this site approved ordinal ${largestApproved} of the same plan already.`,
  );
}

/** In words, for the person who decides. */
export function describePlan(plan: Plan): string {
  const inputs = plan.sample.of.length;
  return `"${plan.plan}": ${plan.model.kind} model of ${plan.target.variable} from ${inputs} variables, ${plan.rounds} rounds`;
}
