import type { PredicateName, SumKind } from '@coferment/consortium';
import type { Recorded } from '../verify/index.js';
import type { EpochRecord, RunAccount, RunStatus, SumRecord } from './account.types.js';
import type { ContributionOpenings } from './contribution.openings.js';
import { errorsOf } from './error.records.js';
import { SiteTally } from './site.tally.js';
import { SumBook } from './sum.book.js';

/** Acts of a run in the ledger, after the one that opens it. */
const runActs = [
  'sealing-key',
  'roster-approved',
  'dealing',
  'dealing-ack',
  'dealing-refused',
  'epoch-agreed',
  'epoch-left',
  'key-epoch',
  'contribution',
  'round-frozen',
  'attestation',
  'share',
  'aggregate',
  'evaluation',
  'round-abandoned',
  'round-garbled',
  'round-stuck',
  'model-released',
  'run-closed',
] as const satisfies readonly PredicateName[];
type RunAct = (typeof runActs)[number];

export function isRunAct(recorded: Recorded): recorded is Recorded<RunAct> {
  return (runActs as readonly PredicateName[]).includes(recorded.name);
}

interface Epoch {
  readonly e: string;
  readonly record: Omit<EpochRecord, 'left'>;
}

/** One run, from the statement that opens it. */
export class RunBook {
  /** By number, kind and E: what is said of another sum under the same number stays apart from it. */
  readonly #sums = new Map<string, SumBook>();
  readonly #epochs: Epoch[] = [];
  readonly #left: (EpochRecord['left'][number] & { epoch: number })[] = [];
  readonly #evaluations: Recorded<'evaluation'>[] = [];
  readonly #dealings = new Map<string, string>();
  readonly #keyCeremony: { site: string; did: 'dealt' | 'acknowledged' | 'refused' }[] = [];
  #closed: Recorded<'run-closed'> | undefined;
  #released: string | undefined;

  constructor(
    private readonly opened: Recorded<'run-opened'>,
    private readonly openings: ContributionOpenings,
  ) {}

  follow(recorded: Recorded<RunAct>): void {
    switch (recorded.name) {
      case 'contribution':
        return this.#sum(recorded.predicate).upload(recorded, this.openings.open(recorded.digest, recorded.predicate));
      case 'round-frozen':
        return this.#sum(recorded.predicate).freeze(recorded);
      case 'aggregate':
        return this.#sum(recorded.predicate).open(recorded);
      case 'share':
        return this.#sum(recorded.predicate).share(recorded);
      case 'attestation': {
        const { e, kind, site, sums } = recorded.predicate;
        for (const { sum } of sums) this.#sum({ sum, kind, e }).attestation(recorded.digest, site);
        return;
      }
      case 'round-abandoned':
        return this.#sum(recorded.predicate).abandon(recorded);
      case 'round-garbled': {
        const { reason, named } = recorded.predicate;
        return this.#sum(recorded.predicate).trouble({ entry: recorded.index, what: 'garbled', reason, named });
      }
      case 'round-stuck':
        return this.#sum(recorded.predicate).trouble({
          entry: recorded.index,
          what: 'stuck',
          reason: recorded.predicate.reason,
          named: [],
        });
      case 'dealing':
        this.#dealings.set(recorded.digest, recorded.predicate.site);
        return;
      case 'dealing-ack':
        this.#keyCeremony.push({ site: recorded.predicate.site, did: 'acknowledged' });
        return;
      case 'dealing-refused':
        this.#keyCeremony.push({ site: recorded.predicate.site, did: 'refused' });
        return;
      case 'key-epoch':
        return this.#openEpoch(recorded);
      case 'epoch-left': {
        const { site, reason, epoch } = recorded.predicate;
        this.#left.push({ site, reason, epoch, entry: recorded.index });
        return;
      }
      case 'evaluation':
        this.#evaluations.push(recorded);
        return;
      case 'model-released':
        this.#released = recorded.predicate.model;
        return;
      case 'run-closed':
        this.#closed ??= recorded;
        return;
      // The steps towards a key epoch: what came of them is in `key-epoch`.
      case 'sealing-key':
      case 'roster-approved':
      case 'epoch-agreed':
        return;
    }
  }

  account(): RunAccount {
    const { run, plan, ordinal, sites } = this.opened.predicate;
    const books = oneOfEachNumber(this.#sums.values()).toSorted((left, right) => left.sum - right.sum);
    const deciding = decidingSums(books);
    const opened = books.filter((book) => book.kind === 'update' && book.isOpened);
    const contributions = this.#tallies(books, deciding).map((tally) => tally.account());
    return {
      run,
      plan,
      ordinal,
      openedIn: this.opened.index,
      sites,
      status: this.#status,
      rounds: opened.length,
      decidedRounds: deciding.length,
      closing: this.#closing(opened.length, new Map(contributions.map(({ site, rounds }) => [site, rounds.counted]))),
      releasedModel: this.#released,
      epochs: this.#epochs.map(({ record }) => ({ ...record, left: this.#leftEpoch(record.epoch) })),
      sums: books.map((book) => book.record(laterOf(book, books))),
      contributions,
      errors: errorsOf(this.#evaluations, books),
    };
  }

  #sum({ sum, kind, e }: { sum: number; kind: SumKind; e: string }): SumBook {
    const key = `${sum} ${kind} ${e}`;
    const known = this.#sums.get(key);
    if (known !== undefined) return known;
    const book = new SumBook(sum, kind, e);
    this.#sums.set(key, book);
    return book;
  }

  #openEpoch({ index, predicate }: Recorded<'key-epoch'>): void {
    const { epoch, e, keyHolders, numbers, dealings, leftOut, renewal } = predicate;
    for (const { site, dealing } of dealings) if (this.#dealings.get(dealing) === site) this.#keyCeremony.push({ site, did: 'dealt' });
    this.#dealings.clear();
    const record = {
      epoch,
      entry: index,
      keyHolders,
      threshold: numbers.tau,
      collusionBound: numbers.c,
      minContributors: numbers.minContributors,
      sites: dealings.map(({ site }) => site),
      leftOut,
      reason: renewal?.reason,
      replaced: renewal?.replaced ?? [],
    };
    this.#epochs.push({ e, record });
  }

  #leftEpoch(number: number): EpochRecord['left'] {
    return this.#left.flatMap(({ epoch, ...left }) => (epoch === number ? [left] : []));
  }

  /** Each sum is looked at once, however many sites there are. */
  #tallies(books: readonly SumBook[], deciding: readonly SumBook[]): SiteTally[] {
    const { sites } = this.opened.predicate;
    const tallies = new Map(sites.map((site) => [site, new SiteTally(site)]));
    for (const { site, did } of this.#keyCeremony) tallies.get(site)?.keyCeremony(did);
    for (const book of books) {
      const { signed, named } = book.attestations;
      for (const site of signed) tallies.get(site)?.attestation(named.has(site));
      for (const { holder, fate } of book.shares) tallies.get(holder)?.share(fate);
      if (book.kind === 'update') for (const site of book.attempts) tallies.get(site)?.attempt();
      if (book.isOpened) for (const upload of book.counted) tallies.get(upload.site)?.upload(book.kind, upload);
    }
    for (const book of deciding) {
      const members = this.#epochs.find(({ e }) => e === book.e)?.record.sites;
      const standings = book.standings(sites, members);
      for (const [site, standing] of standings) tallies.get(site)!.round(book.round!, book.sum, standing);
    }
    return [...tallies.values()];
  }

  get #status(): RunStatus {
    return this.#closed?.predicate.status ?? 'open';
  }

  #closing(rounds: number, counted: ReadonlyMap<string, number>): RunAccount['closing'] {
    if (this.#closed === undefined) return undefined;
    const { predicate, index } = this.#closed;
    const said = new Map(predicate.contributions.map(({ site, updates }) => [site, updates]));
    const sites = new Set([...said.keys(), ...counted.keys()]);
    const agrees =
      predicate.rounds === rounds &&
      said.size === predicate.contributions.length &&
      [...sites].every((site) => (said.get(site) ?? 0) === (counted.get(site) ?? 0));
    return { entry: index, rounds: predicate.rounds, agrees };
  }
}

/**
 * The sums that are worth a line. What a number stands for is what was frozen under it; without a freeze, what the operator says of it; without that, what the first
 * upload says. Acts of another kind or E under the same number, which a single site can sign, change nothing.
 */
function oneOfEachNumber(books: Iterable<SumBook>): SumBook[] {
  const chosen = new Map<number, SumBook>();
  const rank = ({ isFrozen, isNamedByOperator }: SumBook) => (isFrozen ? 2 : isNamedByOperator ? 1 : 0);
  for (const book of books) {
    const known = chosen.get(book.sum);
    if (book.isKnown && (known === undefined || rank(book) > rank(known))) chosen.set(book.sum, book);
  }
  return [...chosen.values()];
}

/**
 * The sums that decide training rounds: every one that was opened; of a round that has none, the last that was frozen or given up. In a ledger that holds no two opened
 * sums have one round; in any other, each counts.
 */
function decidingSums(books: readonly SumBook[]): SumBook[] {
  const updates = books.filter(({ kind, round }) => kind === 'update' && round !== undefined);
  const opened = new Set(updates.flatMap(({ isOpened, round }) => (isOpened ? [round] : [])));
  const last = new Map(updates.map((book) => [book.round, book]));
  return updates.filter((book) => book.isOpened || (!opened.has(book.round) && last.get(book.round) === book));
}

/** The next sum of the same round and kind: what a sum that was not opened went on as. */
function laterOf(book: SumBook, books: readonly SumBook[]): SumRecord['continuedAs'] {
  if (book.isOpened || book.kind === 'confirm') return undefined;
  return books.find((later) => later.sum > book.sum && later.kind === book.kind && later.round === book.round)?.sum;
}
