import type { Predicate } from '@coferment/consortium';
import type { Recorded } from '../verify/index.js';

/** What is recomputed of one run, from verified statements only. */
export interface RunRecord {
  readonly opened: Recorded<'run-opened'>;
  readonly epochs: Map<number, Recorded<'key-epoch'>>;
  readonly frozen: Map<number, Recorded<'round-frozen'>>;
  /** By number of the sum; a site may have signed one for every attempt. */
  readonly contributions: Map<number, Recorded<'contribution'>[]>;
  /** By digest. */
  readonly shares: Map<string, Recorded<'share'>>;
  readonly aggregates: Recorded<'aggregate'>[];
  /** By number of the sum. */
  readonly evaluations: Map<number, Recorded<'evaluation'>[]>;
  isClosed: boolean;
}

/** A published sum with everything that it was opened from. */
export interface PublishedSum {
  readonly aggregate: Recorded<'aggregate'>;
  readonly frozen: Recorded<'round-frozen'>;
  readonly epoch: Recorded<'key-epoch'>;
  /** One for each counted site, in the order of the freeze. */
  readonly uploads: readonly Recorded<'contribution'>[];
  /** Those that the aggregate names. */
  readonly shares: readonly Recorded<'share'>[];
}

/** Collects the statements of a ledger as their verification tells them. */
export class LedgerRecord {
  readonly runs = new Map<string, RunRecord>();

  add(recorded: Recorded): void {
    if (recorded.name === 'run-opened') {
      const { run } = recorded.predicate;
      if (!this.runs.has(run)) this.runs.set(run, emptyRecord(recorded));
      return;
    }
    const record = 'run' in recorded.predicate ? this.runs.get(recorded.predicate.run) : undefined;
    if (record !== undefined) enter(record, recorded);
  }
}

/** @throws Error where the ledger lacks something that its verification has found: these are not its statements */
export function publishedSum(record: RunRecord, aggregate: Recorded<'aggregate'>): PublishedSum {
  const { sum, epoch, shares } = aggregate.predicate;
  const frozen = present(record.frozen.get(sum), `the freeze of sum ${sum}`);
  return {
    aggregate,
    frozen,
    epoch: present(record.epochs.get(epoch), `key epoch ${epoch}`),
    uploads: frozen.predicate.counted.map((counted) => {
      const signed = record.contributions.get(sum)?.find(({ predicate }) => isCounted(predicate, frozen.predicate, counted));
      return present(signed, `the contribution of "${counted.site}" to sum ${sum}`);
    }),
    shares: shares.map(({ site, share }) => present(record.shares.get(share), `the decryption share of "${site}" for sum ${sum}`)),
  };
}

function isCounted(
  { site, merkleRoot, k, attempt }: Predicate<'contribution'>,
  frozen: Predicate<'round-frozen'>,
  counted: Predicate<'round-frozen'>['counted'][number],
): boolean {
  return site === counted.site && merkleRoot === counted.merkleRoot && k === frozen.k && attempt === frozen.attempt;
}

function emptyRecord(opened: Recorded<'run-opened'>): RunRecord {
  return {
    opened,
    epochs: new Map(),
    frozen: new Map(),
    contributions: new Map(),
    shares: new Map(),
    aggregates: [],
    evaluations: new Map(),
    isClosed: false,
  };
}

/** All other statements say nothing about how a sum was opened. */
function enter(record: RunRecord, recorded: Recorded): void {
  const { name } = recorded;
  if (name === 'key-epoch') record.epochs.set(recorded.predicate.epoch, recorded);
  else if (name === 'round-frozen') record.frozen.set(recorded.predicate.sum, recorded);
  else if (name === 'contribution') listAt(record.contributions, recorded.predicate.sum).push(recorded);
  else if (name === 'share') record.shares.set(recorded.digest, recorded);
  else if (name === 'aggregate') record.aggregates.push(recorded);
  else if (name === 'evaluation') listAt(record.evaluations, recorded.predicate.sum).push(recorded);
  else if (name === 'run-closed') record.isClosed = true;
}

function listAt<T>(lists: Map<number, T[]>, key: number): T[] {
  const known = lists.get(key) ?? [];
  lists.set(key, known);
  return known;
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is not among the statements of this ledger; verify it first: coferment-audit verify`);
  return value;
}
