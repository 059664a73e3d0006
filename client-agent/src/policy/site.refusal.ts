import { AgentError } from '../agent.error.js';
import type { RuleResult } from './policy.rules.js';
import type { RuleName } from './policy.schema.js';

/** `newSets`: the setting beside the rules; `person`: somebody at the site rejected the plan, or the other set; `withdrawn`: somebody took the consent back. */
export type RefusingRule = RuleName | 'newSets' | 'person' | 'withdrawn';

/** A refusal by the site's own decision. Its rule and reason are what the operator is told; neither holds anything of a record. */
export class SiteRefusal extends AgentError {
  constructor(
    code: 'policy-refused' | 'plan-rejected' | 'set-rejected' | 'consent-withdrawn',
    readonly rule: RefusingRule,
    readonly reason: string,
    message: string,
  ) {
    super(code, message);
  }
}

/** @param what that is refused, as the first words of a sentence go on: "the plan …" */
export function policyRefusal(what: string, results: readonly RuleResult[]): SiteRefusal | undefined {
  const refusing = results.filter(({ verdict }) => verdict === 'refuse');
  const [first] = refusing;
  if (first === undefined) return undefined;
  const reasons = refusing.map(({ rule, reason }) => `rule ${rule}: ${reason}`).join('; ');
  return new SiteRefusal(
    'policy-refused',
    first.rule,
    first.reason,
    `The policy of this site refuses ${what} (${reasons}). No approval overrides a rule: to allow it, somebody must change the policy file. See: coferment-agent policy show`,
  );
}
