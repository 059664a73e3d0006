import { type Predicate, setDigest, type SumKind } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';
import type { JournalDatabase, Row } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';

/** What a set is bound to: at this site one set for each of these, for life, unless those concerned approved another (secure-aggregation.md §3). */
export interface SetKey {
  consortium: string;
  kind: SumKind;
  modelIn: string;
}

export interface BoundSet {
  /** H(A). */
  set: string;
  /** Empty where a restored journal knows the digest only. */
  sites: string[];
}

/** Leads from one set to another: a proposal with all its approvals, as `checkSetChange` has verified it. */
export type ApprovedChange = Pick<Predicate<'new-set-proposed'>, 'before' | 'after'> & { proposal: string };

/** The sets over which alone this site lets sums be opened. */
export class CountedSetsRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
  ) {}

  /** The set in force; undefined before this site has bound itself. */
  inForce(key: SetKey): BoundSet | undefined {
    const { consortium, kind, modelIn } = key;
    const row = this.database.get(
      'SELECT set_digest, sites FROM counted_sets WHERE consortium = ? AND kind = ? AND model_in = ?',
      consortium,
      setKind(kind),
      modelIn,
    );
    return row === undefined ? undefined : toSet(row);
  }

  /** Those that were in force before it, oldest first. None is signed again unless those concerned approve a way back. */
  earlier({ consortium, kind, modelIn }: SetKey): BoundSet[] {
    return this.database
      .all(
        'SELECT set_digest, sites FROM replaced_sets WHERE consortium = ? AND kind = ? AND model_in = ? ORDER BY place',
        consortium,
        setKind(kind),
        modelIn,
      )
      .map(toSet);
  }

  /**
   * Binds a set, or finds it bound. In the transaction of whatever is signed over it.
   * @param change the approved way from the set that is in force to this one
   * @throws AgentError 'set-changed'
   */
  bind(key: SetKey, bound: BoundSet, change?: ApprovedChange): void {
    this.database.transaction(() => {
      const current = this.inForce(key);
      if (current?.set === bound.set) return;
      const leads = change !== undefined && setDigest(change.after) === bound.set;
      if (current === undefined) {
        if (leads) this.#replace(key, { set: setDigest(change.before), sites: change.before }, bound, change.proposal);
        else this.#insert(key, bound);
        return;
      }
      // A restored journal may have had the digest only.
      if (leads && setDigest(change.before) === current.set)
        return this.#replace(key, { set: current.set, sites: change.before }, bound, change.proposal);
      throw changed(key, current, bound);
    });
  }

  /** What a signature of this site says that its restored journal has forgotten. The last one counts: every change was approved when it was signed. */
  recall(key: SetKey, set: string): void {
    this.database.transaction(() => {
      const current = this.inForce(key);
      if (current?.set === set) return;
      if (current === undefined) this.#insert(key, { set, sites: [] });
      else this.#replace(key, current, { set, sites: [] }, null);
    });
  }

  #insert({ consortium, kind, modelIn }: SetKey, { set, sites }: BoundSet): void {
    this.database.run(
      'INSERT INTO counted_sets (consortium, kind, model_in, set_digest, sites) VALUES (?, ?, ?, ?, ?)',
      consortium,
      setKind(kind),
      modelIn,
      set,
      JSON.stringify(sites),
    );
    this.record.append({ kind: 'set-counted', consortium, sumKind: setKind(kind), modelIn, set, sites });
  }

  #replace({ consortium, kind, modelIn }: SetKey, before: BoundSet, after: BoundSet, proposal: string | null): void {
    const key = [consortium, setKind(kind), modelIn] as const;
    const last = this.database.get(
      'SELECT COALESCE(MAX(place), 0) AS place FROM replaced_sets WHERE consortium = ? AND kind = ? AND model_in = ?',
      ...key,
    );
    const place = Number(last?.['place']) + 1;
    this.database.run(
      'INSERT INTO replaced_sets (consortium, kind, model_in, place, set_digest, sites, proposal) VALUES (?, ?, ?, ?, ?, ?, ?)',
      ...key,
      place,
      before.set,
      JSON.stringify(before.sites),
      proposal,
    );
    this.database.run(
      'INSERT OR REPLACE INTO counted_sets (consortium, kind, model_in, set_digest, sites) VALUES (?, ?, ?, ?, ?)',
      ...key,
      after.set,
      JSON.stringify(after.sites),
    );
    const names = { consortium, sumKind: setKind(kind), modelIn };
    this.record.append({ kind: 'set-replaced', ...names, place, before, after, proposal });
  }
}

/** An update and an evaluation of one model share their set: both carry holdout sums. */
function setKind(kind: SumKind): SumKind {
  return kind === 'evaluate' ? 'update' : kind;
}

function toSet(row: Row): BoundSet {
  return { set: String(row['set_digest']), sites: JSON.parse(String(row['sites'])) as string[] };
}

function changed({ kind, modelIn }: SetKey, before: BoundSet, now: BoundSet): AgentError {
  return new AgentError(
    'set-changed',
    `The ${kind} sum of model ${modelIn.slice(0, 16)} was first counted over ${before.sites.join(', ') || 'another set'}; now over ${now.sites.join(', ')}. ` +
      'The difference of two such sums would show the update of the sites in one set only, so the second set is refused: ' +
      'nobody has shown that everybody concerned approved it.',
  );
}
