import type { CheckResult, Finding } from '../connection/finding.js';

const SIGNS: Readonly<Record<CheckResult, string>> = { pass: 'ok', warn: 'WARN', fail: 'FAIL', skipped: '–' };
const WIDEST_CHECK = 'name resolution'.length;

/** One line for what was found, one more for what to do. */
export function renderFinding({ check, result, found, advice }: Finding): string[] {
  const line = `  ${SIGNS[result].padEnd(4)}  ${check.padEnd(WIDEST_CHECK)}  ${found}`;
  return advice === '' ? [line] : [line, `${' '.repeat(WIDEST_CHECK + 10)}→ ${advice}`];
}

export function renderVerdict(findings: readonly Finding[]): string {
  const count = (result: CheckResult) => findings.filter((finding) => finding.result === result).length;
  const [fails, warns, skips] = [count('fail'), count('warn'), count('skipped')];
  const notLookedAt = skips === 0 ? '' : ` ${skips} not looked at.`;
  if (fails > 0)
    return `${fails} of ${findings.length} checks ${fails === 1 ? 'fails' : 'fail'}: do what stands behind the arrows, then run this again.${notLookedAt}`;
  if (warns > 0) return `Nothing fails; ${warns} to look at.${notLookedAt}`;
  return `All is well.${notLookedAt}`;
}
