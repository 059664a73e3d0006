import type { Predicate } from '@coferment/consortium';
import type { Recorded } from '../verify/index.js';
import { ACCOUNT_FORMAT, type LedgerAccount, type PlanRecord, type SiteRecord } from './account.types.js';
import { ContributionOpenings, type OpenedContribution } from './contribution.openings.js';
import { RunBook, isRunAct } from './run.book.js';

type Approval = PlanRecord['approvals'][number];

/**
 * The account of a ledger: facts that follow from its entries, counted, and no judgement of their worth. Give it every statement whose signature holds, each once
 * and in the order of the log (`VerifyOptions.onStatement`). It keeps what it reports (members, plans, sums, and who was counted in them) and not the entries.
 */
export class AccountBook {
  readonly #openings: ContributionOpenings;
  readonly #sites = new Map<string, SiteRecord>();
  readonly #plans = new Map<string, Omit<PlanRecord, 'approvals'> & { approvals: Approval[] }>();
  readonly #runs = new Map<string, RunBook>();
  #founded: Predicate<'consortium-founded'> | undefined;
  #charter: Predicate<'charter'> | undefined;

  constructor(openings: readonly OpenedContribution[] = []) {
    this.#openings = new ContributionOpenings(openings);
  }

  follow(recorded: Recorded): void {
    if (isRunAct(recorded)) return this.#runs.get(recorded.predicate.run)?.follow(recorded);
    switch (recorded.name) {
      case 'consortium-founded':
        this.#founded ??= recorded.predicate;
        return;
      case 'charter':
        this.#charter ??= recorded.predicate;
        return;
      case 'site-enrolled':
        return this.#enrol(recorded);
      case 'site-left':
        return this.#end(recorded.predicate, 'left', recorded.index);
      case 'site-revoked':
        return this.#end(recorded.predicate, 'revoked', recorded.index);
      case 'witness-key':
        return this.#change(recorded.predicate.site, { witnessKey: recorded.predicate.key });
      case 'plan-published': {
        const { plan, name } = recorded.predicate;
        if (!this.#plans.has(plan)) this.#plans.set(plan, { plan, name, publishedIn: recorded.index, approvals: [] });
        return;
      }
      case 'plan-approved': {
        const { plan, site, ordinal } = recorded.predicate;
        this.#plans.get(plan)?.approvals.push({ site, ordinal, entry: recorded.index });
        return;
      }
      case 'run-opened':
        // A second opening of the same run is a breach of the rules; what counts is the first.
        if (!this.#runs.has(recorded.predicate.run)) this.#runs.set(recorded.predicate.run, new RunBook(recorded, this.#openings));
        return;
      case 'new-set-proposed':
      case 'new-set-approved':
      case 'run-paused':
      case 'run-resumed':
      case 'deadline-extended':
      case 'site-readmitted':
      case 'auditor-enrolled':
      case 'auditor-revoked':
      case 'authorities':
      // Never in a ledger.
      case 'instruction-refused':
      case 'nonce':
      case 'attempt-declined':
        return;
    }
  }

  account(): LedgerAccount {
    const charter = this.#charter;
    return {
      format: ACCOUNT_FORMAT,
      consortium: this.#founded?.consortium,
      origin: this.#founded?.origin,
      charter: charter && {
        ledgerReaders: charter.ledgerReaders,
        siteNames: charter.siteNames,
        witnessQuorum: charter.witnessQuorum,
        witnesses: charter.witnesses,
      },
      sites: [...this.#sites.values()],
      plans: [...this.#plans.values()],
      runs: [...this.#runs.values()].map((run) => run.account()),
      openings: this.#openings.result(),
    };
  }

  #enrol({ index, predicate: { site, identityKey } }: Recorded<'site-enrolled'>): void {
    const enrolledIn = [...(this.#sites.get(site)?.enrolledIn ?? []), index];
    // A new identity brings a witness key of its own.
    const record = { site, membership: 'enrolled', enrolledIn, identityKey } as const;
    this.#sites.set(site, { ...record, endedIn: undefined, reason: undefined, witnessKey: undefined });
  }

  #end({ site, reason }: { site: string; reason: string }, membership: 'left' | 'revoked', endedIn: number): void {
    this.#change(site, { membership, reason, endedIn, witnessKey: undefined });
  }

  #change(site: string, change: Partial<SiteRecord>): void {
    const known = this.#sites.get(site);
    if (known !== undefined) this.#sites.set(site, { ...known, ...change });
  }
}
