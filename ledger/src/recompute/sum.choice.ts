import type { LedgerRecord, RunRecord } from './run.record.js';

/** Which sums are opened again: all, those of one round, or one by its number; of one run, or of whichever has them. */
export type SumChoice = { readonly run?: string } & (
  | { readonly of: 'all' }
  | { readonly of: 'round'; readonly round: number }
  | { readonly of: 'sum'; readonly sum: number }
);

export interface ChosenSums {
  readonly record: RunRecord;
  /** By number. */
  readonly chosen: ReadonlySet<number>;
}

/** @throws Error for a choice that fits no published sum, or sums of several runs where one is meant */
export function chooseSums({ runs }: LedgerRecord, choice: SumChoice): ChosenSums[] {
  const { run } = choice;
  if (run !== undefined && !runs.has(run)) throw new Error(`the ledger has no run "${run}"; it has ${listed([...runs.keys()])}`);
  const records = [...runs.entries()].flatMap(([name, record]) => (run === undefined || name === run ? [record] : []));
  const found = records
    .map((record) => ({
      record,
      chosen: new Set(record.aggregates.flatMap(({ predicate }) => (fits(predicate, choice) ? [predicate.sum] : []))),
    }))
    .filter(({ chosen }) => chosen.size > 0);
  if (found.length === 0) throw new Error(`the ledger has no published sum ${described(choice)}`);
  if (found.length > 1 && choice.of !== 'all') {
    const names = found.map(({ record }) => record.opened.predicate.run);
    throw new Error(`${listed(names)} have sums ${described(choice)}; say which with --run`);
  }
  return found;
}

function fits({ sum, round }: { sum: number; round: number }, choice: SumChoice): boolean {
  switch (choice.of) {
    case 'all':
      return true;
    case 'round':
      return round === choice.round;
    case 'sum':
      return sum === choice.sum;
  }
}

function described(choice: SumChoice): string {
  const run = choice.run === undefined ? '' : ` of ${choice.run}`;
  switch (choice.of) {
    case 'all':
      return run.trim() || 'at all';
    case 'round':
      return `of round ${choice.round}${run}`;
    case 'sum':
      return `with the number ${choice.sum}${run}`;
  }
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}
