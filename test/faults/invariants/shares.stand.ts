import type { Statement } from '@coferment/consortium';
import type { Invariant } from './stores.js';

/**
 * A holder's share over one K exists once. Two of them, over another set or with other noise, would tell about the key (secure-aggregation.md R6); a resend
 * is the same bytes, so wherever the share turns up, it is the same statement.
 */
export const sharesStand: Invariant = {
  name: 'a released share is never contradicted',
  violations: ({ acts, ledger, sites }) => {
    const seen = new Map<string, { t: string; object: string; where: string }>();
    const everywhere = [
      ...acts.map(({ statement }) => ({ statement, where: 'the database' })),
      ...ledger.map(({ statement, index }) => ({ statement, where: `entry ${index}` })),
      ...sites.flatMap(({ site, statements }) => statements.map(({ statement }) => ({ statement, where: `the journal of ${site}` }))),
    ];
    return everywhere.flatMap(({ statement, where }) => {
      const share = shareOf(statement);
      if (share === undefined) return [];
      const { run, sum, site, k, t, object } = share;
      const first = seen.get(`${site} ${k}`);
      seen.set(`${site} ${k}`, first ?? { t, object, where });
      if (first === undefined || (first.t === t && first.object === object)) return [];
      return [`${site} has two shares of sum ${sum} of ${run} under one K: one in ${first.where}, another in ${where}`];
    });
  },
};

function shareOf(statement: Statement) {
  return statement.name === 'share' ? statement.predicate : undefined;
}
