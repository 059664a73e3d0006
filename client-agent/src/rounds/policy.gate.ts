import type { Plan } from '@coferment/consortium';
import type { Instruction, InstructionBody } from '../connection/instruction.parser.js';
import type { PlanDecision } from '../journal/approvals.repository.js';
import { factsOfRequest, factsOfRoster, type SiteHistory } from '../policy/policy.facts.js';
import { evaluatePolicy, type RuleResult, type Verdict, verdictOf } from '../policy/policy.rules.js';
import { planParameters } from '../policy/roster.policy.js';
import { policyRefusal, SiteRefusal } from '../policy/site.refusal.js';
import { type EpochFacts, loadPlan, loadRoster } from './run.facts.js';
import { sitesInRun } from './run.sites.js';
import type { SiteContext } from './site.context.js';
import type { SumFacts } from './sum.context.js';

type Remembering = Pick<SiteContext, 'journal' | 'objects'>;

/** The first instant of the calendar month, in UTC: `roundsPerMonth` counts from there. */
function monthStartMs(nowMs: number): number {
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
}

/** @param round the one that is asked for now, which does not count against itself; 0 for none */
function historyOf(context: Remembering, run: string, plan: string, round = 0): SiteHistory {
  const { journal } = context;
  return {
    earlierSites: journal.runs.earlier(run, plan).map((earlier) => sitesInRun(context, earlier)),
    roundsThisMonth: journal.runs.trainingRoundsSince(monthStartMs(Date.now()), { run, round }),
    // No plan of this version has differential privacy, so none has cost any.
    epsilonSpent: 0,
  };
}

export interface Judgement {
  verdict: Verdict;
  results: RuleResult[];
  /** SHA-256 of the file that was asked. */
  rules: string | null;
}

/** What the standing rules say to a run that this site is asked to take part in. @throws AgentError 'policy-invalid', 'policy-missing' */
export function judgeRequest(
  context: Remembering & Pick<SiteContext, 'policy'>,
  request: { run: string; plan: string; sites: readonly string[] },
  plan: Plan,
): Judgement {
  const { policy, digest } = context.policy.current();
  const results = evaluatePolicy(policy, factsOfRequest(plan, request.sites, historyOf(context, request.run, request.plan)));
  return { verdict: verdictOf(policy, results), results, rules: digest };
}

/** Whatever was approved before. @throws SiteRefusal where a rule refuses */
export function passRequest(context: SiteContext, body: InstructionBody<'approvePlan'>, plan: Plan): Judgement {
  const judgement = judgeRequest(context, body, plan);
  const refusal = policyRefusal(`the run ${body.run} of plan ${body.plan}`, judgement.results);
  if (refusal !== undefined) throw refusal;
  return judgement;
}

/** What this site has decided about a run; rules that all approve decide it where no person has. */
export function decide(context: SiteContext, body: InstructionBody<'approvePlan'>, { verdict, rules }: Judgement): PlanDecision {
  const { run, plan, ordinal, sites } = body;
  const { journal } = context;
  const { approvals } = journal;
  // In one transaction: a person who rejects at this very moment must not be overruled.
  const [decision, isNew] = journal.transaction((): [PlanDecision, boolean] => {
    const decided = approvals.planDecision(plan, ordinal, sites);
    if (decided !== 'undecided' || verdict !== 'approve') return [decided, false];
    approvals.decidePlan(plan, ordinal, 'approved', sites, { by: 'policy', reason: `every rule of the policy ${rules ?? ''} holds` });
    return ['approved', true];
  });
  if (isNew) context.tell({ event: 'approved-by-policy', run, plan });
  return decision;
}

/** @throws SiteRefusal for a run that a person rejected, or took the consent to back before it began */
export function requireConsent({ journal }: Pick<SiteContext, 'journal'>, { plan, ordinal }: InstructionBody<'approvePlan'>): void {
  const decided = journal.approvals.latestDecision(plan, ordinal);
  if (decided === undefined || decided.decision === 'approved') return;
  throw new SiteRefusal(
    'plan-rejected',
    'person',
    decided.reason,
    `This site rejected the plan ${plan} (ordinal ${ordinal}). To change that: coferment-agent plans approve ${plan} --ordinal ${ordinal}`,
  );
}

/** For the person who is asked: which rules want a person. Empty where only the absence of rules does. */
export function askingRules({ results }: Judgement): string {
  const asking = results.filter(({ verdict }) => verdict === 'ask');
  return asking.length === 0 ? '' : ` Rules that ask a person: ${asking.map(({ rule, reason }) => `${rule} (${reason})`).join('; ')}.`;
}

/**
 * Every instruction passes here before it is carried out: rules hold at every step, not only when the run was approved. Steps of a sum that is frozen already
 * only need rules that can be read: without this site's signature or share the sum of the others would never open.
 * @throws SiteRefusal, AgentError 'policy-invalid', 'policy-missing'
 */
export async function passPolicy(context: SiteContext, instruction: Instruction): Promise<void> {
  context.policy.current();
  switch (instruction.kind) {
    // Their handlers ask the rules themselves: they have more to do with the answer than to refuse.
    case 'approvePlan':
    case 'prepareSum':
    case 'encrypt':
      return;
    case 'offerSealingKey':
      return passEpoch(context, instruction.run, undefined);
    case 'approveRoster':
      return passEpoch(context, instruction.run, instruction.body.roster);
    case 'deal':
    case 'checkDealing':
    case 'agreeEpoch':
      return passEpoch(context, instruction.run, context.journal.runs.epoch(instruction.run, instruction.body.epoch)?.roster);
    case 'attest':
    case 'releaseShare':
    case 'applySum':
    case 'closeRun':
    case 'approveNewSet':
      return;
  }
}

/** Against the numbers of the roster, where there is one: they are what protects this site's update. */
async function passEpoch(context: SiteContext, runId: string, rosterDigest: string | undefined): Promise<void> {
  const run = context.journal.runs.get(runId);
  // What was never approved is refused by the handler.
  if (run?.state !== 'approved') return;
  const plan = await loadPlan(context, run.plan);
  const history = historyOf(context, runId, run.plan);
  const facts =
    rosterDigest === undefined
      ? factsOfRequest(plan, run.sites, history)
      : factsOfRoster(plan, await loadRoster(context, rosterDigest), history);
  const results = evaluatePolicy(context.policy.current().policy, facts).filter(({ rule }) => rule !== 'roundsPerMonth');
  const refusal = policyRefusal(`the key epoch of ${runId}`, results);
  if (refusal !== undefined) throw refusal;
}

/**
 * Why this site puts nothing into a sum: its consent was withdrawn, or a rule refuses it now. A confirm sum carries nothing of a record, and a sum over a set
 * that this site has signed already is completed: the others cannot go on without it.
 */
export function refusalOfSum(context: SiteContext, facts: EpochFacts, sum: SumFacts): SiteRefusal | undefined {
  const { journal, consortium, site } = context;
  const { run, kind, round } = sum.name;
  const { policy } = context.policy.current();
  if (kind === 'confirm') return undefined;
  const isFrozen = journal.statements.hasAttested(run, kind, sum.modelIn);
  if (isFrozen && journal.rounds.countedSites(consortium, kind, sum.modelIn)?.includes(site) === true) return undefined;
  const { plan, ordinal } = facts.run;
  const decision = journal.approvals.latestDecision(plan, ordinal);
  if (decision !== undefined && decision.decision !== 'approved') {
    const since = new Date(decision.decidedMs).toISOString();
    return new SiteRefusal(
      'consent-withdrawn',
      'withdrawn',
      decision.reason,
      `This site has withdrawn its consent to ${run} (${since}): it contributes nothing more, and goes on to sign and to open sums that are frozen. To consent again: coferment-agent plans approve ${plan} --ordinal ${ordinal}`,
    );
  }
  const history = historyOf(context, run, plan, round);
  // The parameters are worked out anew: those of the roster were compared with them when it was approved, and stand in it for good.
  const parameters = planParameters(facts.plan, facts.roster.numbers.n);
  const results = evaluatePolicy(policy, { ...factsOfRoster(facts.plan, facts.roster, history), parameters });
  return policyRefusal(
    `further rounds of ${run}`,
    results.filter(({ rule }) => rule !== 'roundsPerMonth' || kind === 'update'),
  );
}
