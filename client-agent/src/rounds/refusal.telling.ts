import { ConsortiumError, MAX_TEXT } from '@coferment/consortium';
import { CryptoError } from '@coferment/crypto';
import { LearningError } from '@coferment/learning';
import { AgentError, type AgentErrorCode } from '../agent.error.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import type { RefusalTelling } from '../journal/activity.repository.js';
import { SiteRefusal } from '../policy/site.refusal.js';
import { printable } from '../printable.text.js';
import type { SiteContext } from './site.context.js';

/**
 * Refusals whose text is told word for word: it is about what the operator sent, and quotes that only. Of all others only the code is told: their texts can
 * name row counts, files and folders of this site.
 */
const TOLD_IN_FULL: ReadonlySet<AgentErrorCode> = new Set<AgentErrorCode>([
  'malformed-instruction',
  'plan-malformed',
  'run-misnamed',
  'run-changed',
  'too-many-runs',
  'sites-unordered',
  'not-a-member',
  'not-approved',
  'ordinal-not-growing',
  'not-built-yet',
  'roster-sites',
  'roster-own-key',
  'roster-rules',
  'roster-left-out',
  'roster-identity',
  'roster-first-sum',
  'roster-changed',
  'epoch-not-growing',
  'epoch-over',
  'epoch-changed',
  'dealing-refused',
  'not-a-holder',
  'wrong-site',
  'wrong-kind',
  'wrong-round',
  'set-changed',
  'set-unapproved',
  'other-proposal',
  'too-many-proposals',
  'sum-changed',
  'run-closed',
]);

/** Longest name of a rule on the wire. */
const LONGEST_RULE = 60;

/** What the operator is told of a refusal; undefined where it was the operator's own, or none of this site's. */
export function tellingOf({ policy }: Pick<SiteContext, 'policy'>, error: unknown): RefusalTelling | undefined {
  if (error instanceof CoordinatorRefusal) return undefined;
  const { rule, reason } = ruleAndReason(error);
  return { rule: rule.slice(0, LONGEST_RULE), reason: tellsReasons(policy) ? printable(reason, MAX_TEXT) : '' };
}

function ruleAndReason(error: unknown): RefusalTelling {
  if (error instanceof SiteRefusal) return { rule: error.rule, reason: error.reason };
  if (error instanceof AgentError) return { rule: error.code, reason: TOLD_IN_FULL.has(error.code) ? error.message : '' };
  if (error instanceof ConsortiumError) return { rule: error.code, reason: error.message };
  if (error instanceof CryptoError || error instanceof LearningError) return { rule: error.code, reason: '' };
  return { rule: 'unexpected', reason: '' };
}

/** Rules that cannot be read may say that nothing is to be told. */
function tellsReasons(policy: SiteContext['policy']): boolean {
  try {
    return policy.current().policy.tellReasons;
  } catch {
    return false;
  }
}

/**
 * Tells the coordinator what this site refused, each rule and subject once, signed. Its answer changes nothing here, and a failure keeps this site from
 * nothing: what could not be told is told later.
 */
export async function tellRefusals({ journal, consortium, site, port }: SiteContext): Promise<void> {
  for (const { id, run, subject, rule, reason } of journal.activity.untoldRefusals()) {
    const refused = { consortium, run, site, subject, rule, reason };
    const { envelope } = journal.statements.sign(run, 'instruction-refused', `${subject}/${rule}`, refused);
    try {
      await port.submitStatement(envelope);
    } catch (error) {
      if (!(error instanceof CoordinatorRefusal) || error.code === 'unreachable') return;
    }
    journal.activity.noteRefusalTold(id);
  }
}
