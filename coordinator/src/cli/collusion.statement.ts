import type { QuorumNumbers } from '@coferment/consortium';

/** What c sites together with the operator could and could not learn, in sentences with this plan's numbers. */
export interface CollusionStatement {
  sites: number;
  cannot: string[];
  can: string[];
  /** Beyond c nothing is promised; this many key holders with the operator open every update of the epoch. */
  breaksAt: { keyHolders: number };
}

/** `1 site`, `2 sites` */
export const several = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export function collusionStatement({ n, m, tau, c, rho, minContributors }: QuorumNumbers): CollusionStatement {
  const others = minContributors - c;
  return {
    sites: c,
    cannot: [
      `open anything alone: ${several(tau, 'share')} are needed, so at least ${several(tau - c, 'honest key holder')} must release one, ` +
        `and honest ones do so only for a set that ${rho} of ${n} sites signed (at least ${rho - c} of them honest)`,
      `read one site's update: a sum holds at least ${minContributors} sites, so at least ${others} others beside the ${c}; ` +
        `taking their own out, they see the sum of those ${others} or more and no part of it`,
      `get two sets certified for one model and subtract: two certificates share at least 2·${rho} − ${n} = ${2 * rho - n} signers, ` +
        `more than the ${c} who would sign twice`,
    ],
    can: [
      'see every sum, as every member does: the mean update, the total weight, the number of held-out rows and the error over all of them',
      'keep a site out of a round by calling it late. Where the counted set changes by one site from one round to the next, the differences show its weight ' +
        'and its held-out rows exactly and, where a round moves the model only a little (large batches, low learning rate), much of its update. ' +
        'Equal weights avoid the first of these; differential privacy is not built yet',
      'see who took part, when, and how many bytes were sent',
      `stop the run: ${several(n - rho + 1, 'site')} that sign nothing, or ${several(m - tau + 1, 'key holder')} that release nothing, are enough`,
    ],
    breaksAt: { keyHolders: tau },
  };
}
