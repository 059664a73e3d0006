import type { RuleResult, Verdict } from './policy.rules.js';
import { scheduleText } from './training.schedule.js';
import { FILE_RULES, type Policy, type PolicyRules } from './policy.schema.js';

const VERDICTS: Record<Verdict, string> = { approve: 'holds', ask: 'asks a person', refuse: 'REFUSES' };

/** What each rule means, with its setting, as a site engineer reads it. */
const MEANINGS: { readonly [R in keyof PolicyRules]-?: (setting: NonNullable<PolicyRules[R]>) => string } = {
  variables: (allowed) => `a plan may use only ${allowed.join(', ')}`,
  tasks: (allowed) => `the task must be ${allowed.join(' or ')}`,
  models: (allowed) => `the model must be ${allowed.join(' or ')}`,
  maxParameters: (most) => `a model has at most ${most} parameters`,
  weighting: (allowed) => `sites are weighted by ${allowed.join(' or ')}`,
  minContributors: (least) => `every sum is over at least ${least} sites`,
  threshold: (least) => `at least ${least} key holders are needed to open a sum`,
  collusionBound: (least) => `one update stays secret while ${least} sites work together with the operator, or more`,
  minSites: (least) => `at least ${least} sites take part`,
  onlySites: (allowed) => `only these sites take part: ${allowed.join(', ')}`,
  exactSites: (exact) => `exactly these sites take part: ${exact.join(', ')}`,
  changedSites: (setting) =>
    setting === 'ask'
      ? 'where the sites differ from an earlier run, a person is asked'
      : 'where the sites differ from an earlier run, the plan is refused',
  roundsPerRun: (most) => `a run has at most ${most} rounds`,
  roundsPerMonth: (most) => `this site takes part in at most ${most} training rounds a calendar month (UTC), over all runs`,
  privacyBudget: (most) => `all runs together cost at most epsilon ${most}; plans without differential privacy are refused`,
};

/** The rules in force, without a plan. */
export function policyText(policy: Policy, file: string | null): string {
  const { rules, whenAllHold, tellReasons, newSets } = policy;
  const width = Math.max(...FILE_RULES.map((rule) => rule.length));
  const inForce = FILE_RULES.flatMap((rule) => {
    const setting = rules[rule];
    return setting === undefined ? [] : [`  ${rule.padEnd(width)}  ${(MEANINGS[rule] as (setting: unknown) => string)(setting)}`];
  });
  return [
    file === null ? 'No policy file: every run of a plan waits for a person.' : `Policy ${file}`,
    'Rules, checked at every step:',
    `  ${'encryption'.padEnd(width)}  nothing leaves without encryption within the 128-bit tables of the standard (always)`,
    ...inForce,
    whenAllHold === 'approve'
      ? 'A run of a plan for which every rule holds is approved without a person.'
      : 'A run of a plan that no rule refuses waits for a person.',
    ...(policy.schedule === undefined ? [] : [`${scheduleText(policy.schedule)}; keys, signatures and shares go on at any time.`]),
    'A plan that a rule refuses cannot be approved by anybody: the file has to be changed first.',
    newSets === 'ask'
      ? 'Another set for a sum that cannot complete waits for a person, always.'
      : 'Another set for a sum that cannot complete is refused, whoever approves it.',
    tellReasons ? 'The operator is told which rule refused, and why.' : 'The operator is told which rule refused, and not why.',
  ].join('\n');
}

/** Rule by rule, what they say to one plan. */
export function verdictLines(results: readonly RuleResult[]): string[] {
  const width = Math.max(...results.map(({ rule }) => rule.length));
  return results.map(({ rule, verdict, reason }) => `${rule.padEnd(width)}  ${VERDICTS[verdict]}: ${reason}`);
}
