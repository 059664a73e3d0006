/** One consortium and one model size. */
export interface BenchCase {
  parameters: number;
  sites: number;
  keyHolders: number;
}

export type Extent = 'quick' | 'default' | 'full';

const [TEN_THOUSAND, HUNDRED_THOUSAND, MILLION, TEN_MILLION] = [1e4, 1e5, 1e6, 1e7] as const;

const of = (parameters: number, ...committees: [sites: number, keyHolders: number][]): BenchCase[] =>
  committees.map(([sites, keyHolders]) => ({ parameters, sites, keyHolders }));

/** The targets' own cases, small to large. */
const QUICK: BenchCase[] = [...of(TEN_THOUSAND, [3, 3]), ...of(HUNDRED_THOUSAND, [10, 5], [100, 12]), ...of(MILLION, [10, 5])];

/** Growth in parameters at (10 sites, 5 holders), in sites and in holders at 10⁵ and 10⁶ parameters. */
const DEFAULT: BenchCase[] = [
  ...of(TEN_THOUSAND, [3, 3], [10, 5]),
  ...of(HUNDRED_THOUSAND, [3, 3], [5, 5], [10, 5], [30, 7], [100, 7], [100, 12]),
  ...of(MILLION, [3, 3], [5, 5], [10, 3], [10, 5], [10, 7], [30, 7], [100, 12]),
];

/** With the largest model; 100 sites × 10⁷ parameters is the case of the memory target. */
const FULL: BenchCase[] = [...DEFAULT, ...of(MILLION, [100, 7]), ...of(TEN_MILLION, [3, 3], [10, 5], [30, 7], [100, 7])];

export const CASES: Readonly<Record<Extent, readonly BenchCase[]>> = { quick: QUICK, default: DEFAULT, full: FULL };

/** Uploads that are encrypted for real add up to about so many blocks a case; further sites repeat them. */
const ENCRYPTED_BLOCKS = 400;
const MOST_DISTINCT = 10;

/** Sites with a key and an upload of their own: all of up to ten, fewer for the largest models, never less than two. */
export function distinctSites(sites: number, blocks: number): number {
  return Math.min(sites, MOST_DISTINCT, Math.max(2, Math.floor(ENCRYPTED_BLOCKS / blocks)));
}

const REPEATED_VALUES = 1e8;

/**
 * Whether receiving and opening are measured once, whatever runs were asked for: a round of more values (parameters × sites) than this sends gigabytes
 * and takes a minute or more.
 */
export function measuredOnce({ parameters, sites }: BenchCase): boolean {
  return parameters * sites > REPEATED_VALUES;
}
