import { formatFingerprint } from '@coferment/consortium';
import type { ShownProposal } from '../journal/new-sets.repository.js';

const MEANING = { confirm: 'key', statistics: 'statistics', update: 'update', evaluate: 'holdout figures' } as const;

/** Everything that somebody at a site has to know before deciding about another set. */
export function newSetText(shown: ShownProposal): string {
  const { proposal, run, sum, kind, before, after, earlier, approvers, decision, reason } = shown;
  return [
    `${run}, sum ${sum} (${kind}): ${decision === 'undecided' ? 'waits for the decision of this site' : `${decision} here`}${reason === '' ? '' : ` (${reason})`}`,
    `  the set it cannot complete over:  ${before.join(', ')}`,
    `  the set that is proposed instead: ${after.join(', ')}`,
    ...differences([...earlier, before], after, MEANING[kind]).map((line) => `  ${line}`),
    ...(earlier.length > 0
      ? ['  with this there are three sets or more: sums of them can be combined to tell about any site in any of them, so all are asked.']
      : []),
    `  has to be approved by: ${approvers.join(', ')}`,
    `  digest of the proposal: ${formatFingerprint(proposal)}`,
    ...(decision === 'approved' ? [] : [`  to approve it: coferment-agent sets approve ${proposal}`]),
    ...(decision === 'undecided' ? [`  to reject it:  coferment-agent sets reject ${proposal}`] : []),
  ].join('\n');
}

function differences(earlier: readonly (readonly string[])[], after: readonly string[], what: string): string[] {
  return earlier.flatMap((before) => {
    const gone = before.filter((site) => !after.includes(site));
    const added = after.filter((site) => !before.includes(site));
    const concerned = [...gone, ...added].sort();
    if (concerned.length === 0) return [];
    const alone =
      concerned.length === 1
        ? `exactly the ${what} of ${concerned[0]}`
        : `the ${what} of ${concerned.join(' and ')}, mixed with nobody else's`;
    const lists = [gone.length > 0 ? `only before: ${gone.join(', ')}` : '', added.length > 0 ? `only after: ${added.join(', ')}` : ''];
    return [
      `in one of the two sets only (${before.join(', ')} | ${after.join(', ')}): ${lists.filter((list) => list !== '').join('; ')}`,
      `whoever sees both sums can subtract them: what is left is ${alone}. The sum over all no longer hides it.`,
    ];
  });
}
