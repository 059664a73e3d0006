import type { Predicate } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';
import type { JournalDatabase, Row } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';

export type NewSetDecision = 'undecided' | 'approved' | 'rejected';

/** Another set that the operator proposes for a sum, as the people of this site see it. */
export interface ProposedSet extends Pick<
  Predicate<'new-set-proposed'>,
  'run' | 'sum' | 'kind' | 'modelIn' | 'before' | 'after' | 'approvers'
> {
  /** Digest of the operator's statement. */
  proposal: string;
  /** Sets from this model that this site has bound itself to before `before`, oldest first. */
  earlier: string[][];
}

export interface ShownProposal extends ProposedSet {
  decision: NewSetDecision;
  reason: string;
  shownMs: number;
}

/** Each is kept for good, and whoever sends proposals makes as many as they like. */
export const MOST_PROPOSALS_OF_A_RUN = 50;

/** Proposals of another set, and what a person at this site decided: written by the command line, read by the serving agent. */
export class NewSetsRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
    private readonly now: () => number,
  ) {}

  /** Remembers what people are shown; shown again it changes nothing. @throws AgentError 'too-many-proposals' */
  show(proposed: ProposedSet): void {
    const { proposal, run, sum, kind, modelIn, before, after, approvers, earlier } = proposed;
    this.database.transaction(() => {
      if (this.find(proposal) !== undefined) return;
      const known = Number(this.database.get('SELECT COUNT(*) AS known FROM new_sets WHERE run = ?', run)?.['known']);
      if (known >= MOST_PROPOSALS_OF_A_RUN)
        throw new AgentError(
          'too-many-proposals',
          `${known} other sets were proposed in ${run}; no more are looked at. Settle it with the operator; a new run may be needed.`,
        );
      const time = this.now();
      this.database.run(
        "INSERT INTO new_sets (proposal, run, sum, kind, model_in, before, after, approvers, earlier, shown_ms, decision, decided_ms, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'undecided', NULL, '')",
        proposal,
        run,
        sum,
        kind,
        modelIn,
        ...[before, after, approvers, earlier].map((list) => JSON.stringify(list)),
        time,
      );
      this.record.append({ kind: 'new-set-shown', proposal, run, sum, sumKind: kind, modelIn, before, after, approvers, earlier }, time);
    });
  }

  find(proposal: string): ShownProposal | undefined {
    const row = this.database.get('SELECT * FROM new_sets WHERE proposal = ?', proposal);
    return row === undefined ? undefined : toProposal(row);
  }

  /** Newest first. */
  all(): ShownProposal[] {
    return this.database.all('SELECT * FROM new_sets ORDER BY shown_ms DESC, rowid DESC').map(toProposal);
  }

  /**
   * A person decides about what was shown. An approval is final, since it may have been sent; a rejection may become an approval.
   * @throws AgentError 'proposal-unknown', 'proposal-decided'
   */
  decide(proposal: string, decision: 'approved' | 'rejected', reason: string): ShownProposal {
    return this.database.transaction(() => {
      const shown = this.find(proposal);
      if (shown === undefined)
        throw new AgentError(
          'proposal-unknown',
          `No other set with the digest ${proposal} was proposed to this site. Nothing was decided. See what was: coferment-agent sets show`,
        );
      if (shown.decision === decision) return shown;
      if (shown.decision === 'approved')
        throw new AgentError(
          'proposal-decided',
          `The set ${proposal} was approved already, and the approval may have been sent. It stays approved.`,
        );
      const time = this.now();
      this.database.run(
        'UPDATE new_sets SET decision = ?, decided_ms = ?, reason = ? WHERE proposal = ?',
        decision,
        time,
        reason,
        proposal,
      );
      this.record.append({ kind: `new-set-${decision}`, run: shown.run, proposal, reason }, time);
      return { ...shown, decision, reason };
    });
  }
}

function toProposal(row: Row): ShownProposal {
  const list = (name: string) => JSON.parse(String(row[name])) as string[];
  return {
    proposal: String(row['proposal']),
    run: String(row['run']),
    sum: Number(row['sum']),
    kind: String(row['kind']) as ProposedSet['kind'],
    modelIn: String(row['model_in']),
    before: list('before'),
    after: list('after'),
    approvers: list('approvers'),
    earlier: JSON.parse(String(row['earlier'])) as string[][],
    decision: String(row['decision']) as NewSetDecision,
    reason: String(row['reason']),
    shownMs: Number(row['shown_ms']),
  };
}
