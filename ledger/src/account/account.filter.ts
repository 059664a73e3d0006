import { LedgerError } from '../errors/index.js';
import type { LedgerAccount, RunAccount } from './account.types.js';

export interface AccountFilter {
  readonly run?: string;
  readonly round?: number;
  readonly site?: string;
}

/**
 * The part of an account that is asked for, in the same form. With a round, sums and errors are those of the round; what is counted over a whole run stays that.
 * @throws LedgerError 'not-in-ledger' with what there is
 */
export function filterAccount(account: LedgerAccount, { run, round, site }: AccountFilter): LedgerAccount {
  const runs = account.runs.filter((candidate) => run === undefined || candidate.run === run);
  if (run !== undefined && runs.length === 0)
    throw missing(
      `run "${run}"`,
      account.runs.map((known) => known.run),
    );
  if (site !== undefined && !account.sites.some((known) => known.site === site))
    throw missing(
      `site "${site}"`,
      account.sites.map((known) => known.site),
    );
  const shown = runs.map((candidate) => filterRun(candidate, round, site));
  if (round !== undefined && shown.every(({ sums }) => sums.length === 0))
    throw missing(`round ${round}`, [
      ...new Set(runs.flatMap(({ sums }) => sums.flatMap((sum) => (sum.kind === 'update' ? [`${sum.round}`] : [])))),
    ]);
  const plans = new Set(shown.map(({ plan }) => plan));
  return {
    ...account,
    runs: site === undefined ? shown : shown.filter(({ sites }) => sites.includes(site)),
    sites: account.sites.filter((known) => site === undefined || known.site === site),
    plans: account.plans.filter(({ plan }) => run === undefined || plans.has(plan)),
  };
}

function filterRun(run: RunAccount, round: number | undefined, site: string | undefined): RunAccount {
  const contributions = run.contributions
    .filter((entry) => site === undefined || entry.site === site)
    .map((entry) => ({ ...entry, notCounted: entry.notCounted.filter((named) => round === undefined || named.round === round) }));
  if (round === undefined) return { ...run, contributions };
  return {
    ...run,
    contributions,
    sums: run.sums.filter((sum) => (sum.kind === 'update' || sum.kind === 'evaluate') && sum.round === round),
    errors: run.errors.filter(({ afterRound }) => afterRound === round),
  };
}

function missing(what: string, known: readonly string[]): LedgerError {
  const there = known.length === 0 ? 'there is none' : `there ${known.length === 1 ? 'is' : 'are'} ${known.slice(0, 50).join(', ')}`;
  return new LedgerError('not-in-ledger', `the verified entries name no ${what}; ${there}`);
}
