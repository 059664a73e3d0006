import { describeModel, latticeSecurity } from '@coferment/consortium';
import type { PolicyFacts } from './policy.facts.js';
import { FILE_RULES, HARD_RULE, type Policy, type PolicyRules, type RuleName } from './policy.schema.js';

export type Verdict = 'approve' | 'ask' | 'refuse';

export interface RuleResult {
  rule: RuleName;
  verdict: Verdict;
  /** With the value that the rule looked at. Plan values and the rule's own only: it can be told to the operator. */
  reason: string;
}

type Outcome = Omit<RuleResult, 'rule'>;
type Setting<R extends keyof PolicyRules> = NonNullable<PolicyRules[R]>;

const hold = (holds: boolean, reason: string): Outcome => ({ verdict: holds ? 'approve' : 'refuse', reason });
const floor = (value: number, least: number): Outcome => hold(value >= least, `plan has ${value}, floor is ${least}`);
const among = (values: readonly string[], allowed: readonly string[], what: string): Outcome => {
  const others = values.filter((value) => !allowed.includes(value));
  return others.length === 0
    ? { verdict: 'approve', reason: `${what} ${values.join(', ')}: allowed` }
    : { verdict: 'refuse', reason: `${what} ${others.join(', ')}: not among the allowed ${allowed.join(', ')}` };
};

/** One pure function for each rule of the file: its setting and the facts, nothing else. */
const RULES: { readonly [R in keyof PolicyRules]-?: (setting: Setting<R>, facts: PolicyFacts) => Outcome } = {
  variables: (allowed, { plan }) => among([plan.target.variable, ...plan.sample.of], allowed, 'variables'),
  tasks: (allowed, { plan }) => among([plan.task], allowed, 'task'),
  models: (allowed, { plan }) => among([plan.model.kind], allowed, 'model'),
  maxParameters: (most, { plan }) => {
    const { parameters } = describeModel(plan);
    return hold(parameters <= most, `the model has ${parameters} parameters, at most ${most} are allowed`);
  },
  weighting: (allowed, { plan }) => among([plan.weighting.by], allowed, 'weighting by'),
  minContributors: (least, { numbers }) => floor(numbers.minContributors, least),
  threshold: (least, { numbers }) => floor(numbers.tau, least),
  collusionBound: (least, { numbers }) => floor(numbers.c, least),
  minSites: (least, { contributing }) => hold(contributing.length >= least, `${contributing.length} sites take part, floor is ${least}`),
  onlySites: (allowed, { sites }) => among(sites, allowed, 'sites'),
  exactSites: (exact, { sites }) =>
    hold(
      exact.toSorted().join() === sites.join(),
      `the run has the sites ${sites.join(', ')}; they must be exactly ${exact.toSorted().join(', ')}`,
    ),
  changedSites,
  roundsPerRun: (most, { plan }) => hold(plan.rounds <= most, `the plan has ${plan.rounds} rounds, at most ${most} are allowed`),
  roundsPerMonth: (most, { plan, history }) => {
    const used = `${history.roundsThisMonth} of ${most} rounds of this month are used`;
    if (history.roundsThisMonth >= most) return { verdict: 'refuse', reason: used };
    // A run can last longer than a month: the rounds that go beyond are refused one by one, when they come.
    if (history.roundsThisMonth + plan.rounds > most)
      return { verdict: 'ask', reason: `${used}; the plan has ${plan.rounds}, not all would be taken part in` };
    return { verdict: 'approve', reason: `${used}; the plan has ${plan.rounds}` };
  },
  privacyBudget: (most, { epsilon, history }) =>
    epsilon === null
      ? {
          verdict: 'refuse',
          reason: `the plan has no differential privacy, so nothing bounds what its sums tell, and the budget is ${most}`,
        }
      : hold(
          history.epsilonSpent + epsilon <= most,
          `epsilon ${history.epsilonSpent} is spent and the plan costs ${epsilon}; the budget is ${most}`,
        ),
};

/** Where two lists differ, the difference of two results can tell about the sites in one list only: somebody has to look at both. */
function changedSites(setting: 'ask' | 'refuse', { sites, history: { earlierSites } }: PolicyFacts): Outcome {
  if (earlierSites.length === 0) return { verdict: 'ask', reason: `no run was approved here before; the sites are ${sites.join(', ')}` };
  const other = earlierSites.find((earlier) => earlier.join() !== sites.join());
  if (other === undefined) return { verdict: 'approve', reason: 'the sites are those of the earlier runs' };
  const added = sites.filter((site) => !other.includes(site));
  const gone = other.filter((site) => !sites.includes(site));
  const changes = [...(added.length === 0 ? [] : [`new: ${added.join(', ')}`]), ...(gone.length === 0 ? [] : [`gone: ${gone.join(', ')}`])];
  return { verdict: setting, reason: `the sites differ from those of an earlier run (${changes.join('; ')})` };
}

/** Holds at every site, with any file and with none: the lattice must be within the 128-bit tables of the standard. */
function encryption({ parameters: { set } }: PolicyFacts): Outcome {
  if (set.startsWith('INSECURE')) return { verdict: 'refuse', reason: `the encryption parameters ${set} are for tests only` };
  return hold(latticeSecurity(set).within.classical128, `encryption parameters ${set}, worked out by this site`);
}

/** The verdict of every rule in force, in the order of the file format. Closed: a new rule has to be put here. */
export function evaluatePolicy({ rules }: Policy, facts: PolicyFacts): RuleResult[] {
  const inForce = FILE_RULES.flatMap((rule) => {
    const setting = rules[rule];
    if (setting === undefined) return [];
    const judge = RULES[rule] as (setting: unknown, facts: PolicyFacts) => Outcome;
    return [{ rule, ...judge(setting, facts) }];
  });
  return [{ rule: HARD_RULE, ...encryption(facts) }, ...inForce];
}

/** A refusal stands above everything, also above the approval of a person; one rule that asks makes the whole plan wait for a person. */
export function verdictOf(policy: Policy, results: readonly RuleResult[]): Verdict {
  if (results.some(({ verdict }) => verdict === 'refuse')) return 'refuse';
  return policy.whenAllHold === 'approve' && results.every(({ verdict }) => verdict === 'approve') ? 'approve' : 'ask';
}
