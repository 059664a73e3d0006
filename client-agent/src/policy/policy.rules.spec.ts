import { parsePlan, type Plan } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { factsOfRequest, type PolicyFacts, type SiteHistory } from './policy.facts.js';
import { evaluatePolicy, type RuleResult, type Verdict, verdictOf } from './policy.rules.js';
import { FILE_RULES, HARD_RULE, type Policy, type PolicyRules, policySchema, type RuleName } from './policy.schema.js';
import { policyRefusal } from './site.refusal.js';

const SITES = ['alder', 'birch', 'cedar', 'dogwood', 'elm'];
const plan = (change: object = {}): Plan =>
  parsePlan({
    schema: 1,
    plan: 'rules',
    sample: { of: ['temperature', 'ph'], summarise: ['last'] },
    target: { variable: 'product_concentration' },
    model: { kind: 'linear' },
    rounds: 10,
    ...change,
  });
const history: SiteHistory = { earlierSites: [SITES], roundsThisMonth: 0, epsilonSpent: 0 };
// n = 5 gives c = 2, τ = 4, minContributors = 4.
const facts = (change: Partial<PolicyFacts> = {}, over: object = {}): PolicyFacts => ({
  ...factsOfRequest(plan(over), SITES, history),
  ...change,
});

const policy = (rules: PolicyRules | object, more: object = {}): Policy => policySchema.parse({ schema: 1, rules, ...more });
const judge = (rules: object, given: PolicyFacts): RuleResult[] => evaluatePolicy(policy(rules), given);

interface Case {
  verdict: Verdict;
  setting: unknown;
  given: PolicyFacts;
  /** With the value. */
  reason: string;
}
const approve = (setting: unknown, given: PolicyFacts, reason: string): Case => ({ verdict: 'approve', setting, given, reason });
const refuse = (setting: unknown, given: PolicyFacts, reason: string): Case => ({ verdict: 'refuse', setting, given, reason });
const ask = (setting: unknown, given: PolicyFacts, reason: string): Case => ({ verdict: 'ask', setting, given, reason });

/** Of every rule, the last case that it approves and the first that it does not. A rule that is new has no entry, and does not compile. */
const cases: Record<RuleName, Case[]> = {
  encryption: [
    approve(undefined, facts(), 'STANDARD, worked out by this site'),
    refuse(undefined, facts({ parameters: { ...facts().parameters, set: 'INSECURE_TEST_1024' } }), 'INSECURE_TEST_1024 are for tests only'),
  ],
  variables: [
    approve(['temperature', 'ph', 'product_concentration'], facts(), 'allowed'),
    refuse(['temperature', 'product_concentration'], facts(), 'variables ph: not among the allowed temperature, product_concentration'),
    refuse(['temperature', 'ph'], facts(), 'variables product_concentration: not among'),
  ],
  tasks: [
    approve(['regression'], facts(), 'task regression: allowed'),
    refuse(['binary', 'forecast'], facts(), 'task regression: not among'),
  ],
  models: [
    approve(['linear'], facts(), 'model linear: allowed'),
    refuse(['linear'], facts({}, { model: { kind: 'mlp' } }), 'model mlp: not among the allowed linear'),
  ],
  maxParameters: [
    approve(3, facts(), 'the model has 3 parameters, at most 3 are allowed'),
    refuse(2, facts(), 'the model has 3 parameters, at most 2 are allowed'),
  ],
  weighting: [
    approve(['equal'], facts({}, { weighting: { by: 'equal' } }), 'weighting by equal: allowed'),
    refuse(['equal'], facts(), 'weighting by samples: not among the allowed equal'),
  ],
  minContributors: [approve(4, facts(), 'plan has 4, floor is 4'), refuse(5, facts(), 'plan has 4, floor is 5')],
  threshold: [approve(4, facts(), 'plan has 4, floor is 4'), refuse(5, facts(), 'plan has 4, floor is 5')],
  collusionBound: [approve(2, facts(), 'plan has 2, floor is 2'), refuse(3, facts(), 'plan has 2, floor is 3')],
  minSites: [
    approve(5, facts(), '5 sites take part, floor is 5'),
    refuse(6, facts(), '5 sites take part, floor is 6'),
    // Whoever is left out of a key epoch does not count.
    refuse(5, facts({ contributing: SITES.slice(1) }), '4 sites take part, floor is 5'),
  ],
  onlySites: [
    approve([...SITES, 'fir'], facts(), 'allowed'),
    refuse(SITES.slice(1), facts(), 'sites alder: not among the allowed birch, cedar, dogwood, elm'),
  ],
  exactSites: [
    approve(SITES.toReversed(), facts(), 'must be exactly alder, birch'),
    refuse([...SITES, 'fir'], facts(), 'they must be exactly alder, birch, cedar, dogwood, elm, fir'),
    refuse(SITES.slice(1), facts(), 'the run has the sites alder, birch'),
  ],
  changedSites: [
    approve('refuse', facts(), 'those of the earlier runs'),
    ask('refuse', facts({ history: { ...history, earlierSites: [] } }), 'no run was approved here before'),
    ask('ask', facts({ history: { ...history, earlierSites: [[...SITES, 'fir']] } }), '(gone: fir)'),
    refuse('refuse', facts({ history: { ...history, earlierSites: [[...SITES.slice(1), 'fir']] } }), '(new: alder; gone: fir)'),
    // The last run had the same sites, but an earlier one of this plan had not.
    refuse('refuse', facts({ history: { ...history, earlierSites: [SITES, SITES.slice(1)] } }), '(new: alder)'),
  ],
  roundsPerRun: [
    approve(10, facts(), 'the plan has 10 rounds, at most 10 are allowed'),
    refuse(9, facts(), 'the plan has 10 rounds, at most 9 are allowed'),
  ],
  roundsPerMonth: [
    approve(30, facts({ history: { ...history, roundsThisMonth: 20 } }), '20 of 30 rounds of this month are used; the plan has 10'),
    ask(30, facts({ history: { ...history, roundsThisMonth: 21 } }), 'not all would be taken part in'),
    refuse(30, facts({ history: { ...history, roundsThisMonth: 30 } }), '30 of 30 rounds of this month are used'),
    refuse(0, facts(), '0 of 0 rounds'),
  ],
  privacyBudget: [
    approve(8, facts({ epsilon: 2, history: { ...history, epsilonSpent: 6 } }), 'epsilon 6 is spent and the plan costs 2; the budget is 8'),
    refuse(8, facts({ epsilon: 2.1, history: { ...history, epsilonSpent: 6 } }), 'the budget is 8'),
    // Plans of this version have none.
    refuse(8, facts(), 'no differential privacy, so nothing bounds what its sums tell'),
  ],
};

describe.each(Object.entries(cases) as [RuleName, Case[]][])('the rule %s', (rule, given) => {
  it('is shown both approving and refusing', () => {
    for (const verdict of ['approve', 'refuse'] as const) expect(given.map((entry) => entry.verdict)).toContain(verdict);
  });

  it.each(given)('says $verdict: $reason', ({ verdict, setting, given: seen, reason }) => {
    const results = judge(rule === HARD_RULE ? {} : { [rule]: setting }, seen);
    const result = results.find((entry) => entry.rule === rule);
    expect(result).toMatchObject({ verdict, reason: expect.stringContaining(reason) });
    // Nothing else is in force but what always is.
    expect(results.filter((entry) => ![rule, HARD_RULE, 'changedSites'].includes(entry.rule))).toEqual([]);
  });
});

describe('the rules together', () => {
  it('are all known to the table above', () => {
    expect(Object.keys(cases).sort()).toEqual([HARD_RULE, ...FILE_RULES].sort());
  });

  const strict = { minContributors: 4, threshold: 4 };

  it('approve only when every one does and the policy says that this is enough', () => {
    const results = judge(strict, facts());
    expect(verdictOf(policy(strict, { whenAllHold: 'approve' }), results)).toBe('approve');
    expect(verdictOf(policy(strict), results)).toBe('ask');
  });

  it('ask when one asks', () => {
    const unknown = facts({ history: { ...history, earlierSites: [] } });
    expect(verdictOf(policy(strict, { whenAllHold: 'approve' }), judge(strict, unknown))).toBe('ask');
  });

  it('refuse when one refuses, whatever the others say, and name it', () => {
    const results = judge({ ...strict, roundsPerRun: 9, threshold: 5 }, facts({ history: { ...history, earlierSites: [] } }));
    expect(verdictOf(policy({}, { whenAllHold: 'approve' }), results)).toBe('refuse');
    expect(policyRefusal('the plan', results)).toMatchObject({
      code: 'policy-refused',
      rule: 'threshold',
      reason: 'plan has 4, floor is 5',
      message: expect.stringMatching(/rule threshold: plan has 4, floor is 5; rule roundsPerRun: .*change the policy file/),
    });
  });

  it('refuse nothing but weak encryption where there is no file', () => {
    const insecure = facts({ parameters: { ...facts().parameters, set: 'INSECURE_TEST_1024' } });
    expect(policyRefusal('the plan', judge({}, facts()))).toBeUndefined();
    expect(policyRefusal('the plan', judge({}, insecure))).toMatchObject({ rule: 'encryption' });
  });
});
