import type { Finding } from './record.chain.js';
import type { RecordEntry } from './record.entry.js';
import { rowsDigest } from './record.opening.js';
import { type CellRow, keyOf, RECORDED_TABLES, type RecordedTable, recordedTables } from './record.tables.js';

/** What the tables of a journal must hold, by its record. */
export class TableImage {
  readonly #tables = new Map<RecordedTable, Map<string, CellRow>>(recordedTables.map((table) => [table, new Map<string, CellRow>()]));

  rows(table: RecordedTable): Map<string, CellRow> {
    return this.#tables.get(table)!;
  }

  /** As `INSERT OR REPLACE`. */
  put(table: RecordedTable, row: CellRow): void {
    this.rows(table).set(keyOf(table, row), row);
  }

  /** As `INSERT OR IGNORE`. */
  add(table: RecordedTable, row: CellRow): void {
    if (!this.rows(table).has(keyOf(table, row))) this.put(table, row);
  }

  /** @param key the columns that name the row, in their order */
  change(table: RecordedTable, key: readonly (string | number)[], change: (row: CellRow) => CellRow): void {
    const row = this.rows(table).get(JSON.stringify(key));
    if (row !== undefined) this.put(table, { ...row, ...change(row) });
  }

  remove(table: RecordedTable, key: readonly (string | number)[]): void {
    this.rows(table).delete(JSON.stringify(key));
  }
}

/** Does to the image what was done to the tables when the entry was written. */
// oxlint-disable-next-line max-lines-per-function -- one case for each kind of entry
export function apply(image: TableImage, entry: RecordEntry): void {
  const { time } = entry;
  switch (entry.kind) {
    case 'carried-over':
      if (Object.hasOwn(RECORDED_TABLES, entry.table)) image.put(entry.table as RecordedTable, entry.row);
      return;
    case 'plan-approved':
    case 'plan-rejected':
    case 'plan-withdrawn': {
      const { row: id, plan, ordinal, by: decided_by, reason } = entry;
      const decision = entry.kind.slice('plan-'.length);
      return image.put('plan_approvals', { id, plan, ordinal, sites: listed(entry.sites), decision, decided_ms: time, decided_by, reason });
    }
    case 'approval-bound':
      return image.change('plan_approvals', [entry.row], () => ({ sites: listed(entry.sites) }));
    case 'roster-approved':
      return image.put('roster_approvals', { id: entry.row, fingerprint: entry.fingerprint, decided_ms: time, used_ms: null, used: null });
    case 'roster-used':
      for (const row of entry.rows) image.change('roster_approvals', [row], () => ({ used_ms: time, used: entry.use }));
      return;
    case 'roster-shown': {
      const { run, epoch, roster, fingerprint, entries } = entry;
      return image.put('shown_rosters', { run, epoch, roster, fingerprint, entries });
    }
    case 'run-announced': {
      const { run, plan, ordinal, sites } = entry;
      return image.put('runs', { run, plan, ordinal, sites: listed(sites), state: 'asked', detail: '', opened_ms: time });
    }
    case 'run-state':
      return image.change('runs', [entry.run], () => ({ state: entry.state, detail: entry.detail }));
    case 'epoch-opened': {
      const { run, epoch, roster, fingerprint, e0 } = entry;
      return image.put('epochs', { run, epoch, roster, fingerprint, e0, e: null, blocks: 0 });
    }
    case 'epoch-agreed':
      return image.change('epochs', [entry.run, entry.epoch], () => ({ e: entry.e }));
    case 'epoch-left': {
      const { run, epoch, reason } = entry;
      return image.put('dead_epochs', { run, epoch, reason, since_ms: time, told: 0 });
    }
    case 'epoch-left-told':
      return image.change('dead_epochs', [entry.run, entry.epoch], () => ({ told: 1 }));
    case 'signed': {
      const { run, name, subject, digest, envelope } = entry;
      return image.put('statements', { run, name, subject, digest, envelope, signed_ms: time });
    }
    case 'trained': {
      const { plan, sumKind: kind, modelIn: model_in, sealed } = entry;
      image.put('sealed_vectors', { plan, kind, model_in, sealed, erased: 0 });
      return image.put('commitment_salts', { commitment: entry.vector, sealed: entry.salt });
    }
    case 'vectors-erased':
      for (const { sumKind, modelIn, sealed } of entry.vectors)
        image.change('sealed_vectors', [entry.plan, sumKind, modelIn], () => ({ sealed, erased: 1 }));
      return;
    case 'encrypting': {
      const { run, epoch, sum, attempt, blocks } = entry;
      image.change('epochs', [run, epoch], (row) => ({ blocks: Number(row['blocks']) + blocks }));
      return image.put('last_encrypted', { run, sum, attempt });
    }
    case 'sum-frozen':
      return image.put('frozen_sums', { run: entry.run, sum: entry.sum, t: entry.t });
    case 'set-counted': {
      const { consortium, sumKind: kind, modelIn: model_in, set: set_digest, sites } = entry;
      return image.put('counted_sets', { consortium, kind, model_in, set_digest, sites: listed(sites) });
    }
    case 'set-replaced': {
      const { consortium, sumKind: kind, modelIn: model_in, place, before, after, proposal } = entry;
      const named = { consortium, kind, model_in };
      image.put('replaced_sets', { ...named, place, set_digest: before.set, sites: listed(before.sites), proposal });
      return image.put('counted_sets', { ...named, set_digest: after.set, sites: listed(after.sites) });
    }
    case 'new-set-shown': {
      const { proposal, run, sum, sumKind: kind, modelIn: model_in } = entry;
      const [before, after, approvers, earlier] = [entry.before, entry.after, entry.approvers, entry.earlier].map(listed);
      const lists = { before: before!, after: after!, approvers: approvers!, earlier: earlier! };
      const open = { shown_ms: time, decision: 'undecided', decided_ms: null, reason: '' };
      return image.put('new_sets', { proposal, run, sum, kind, model_in, ...lists, ...open });
    }
    case 'new-set-approved':
    case 'new-set-rejected': {
      const decision = entry.kind.slice('new-set-'.length);
      return image.change('new_sets', [entry.proposal], () => ({ decision, decided_ms: time, reason: entry.reason }));
    }
    case 'drawn':
      return image.put('spot_checks', { run: entry.run, sum: entry.sum, aggregate: entry.aggregate, blocks: listed(entry.blocks) });
    case 'step': {
      const { run, sum, sumKind: kind, round, attempt, state } = entry;
      return image.put('round_steps', { run, sum, kind, round, attempt, state, changed_ms: time });
    }
    case 'applied': {
      const { run, sum: applied_sum, state, model, modelSum: model_sum } = entry;
      return image.put('run_states', { run, applied_sum, state, model, model_sum });
    }
    case 'receipt-owed': {
      const { contribution, run, sum, sumKind: kind, round, attempt } = entry;
      const open = { needed: null, stored_ms: null, contribution_proof: null, freeze_proof: null, freeze: null, policy: null };
      return image.put('receipts', { contribution, run, sum, kind, round, attempt, owed_ms: time, ...open });
    }
    case 'receipt-waits':
      return image.change('receipts', [entry.contribution], () => ({ needed: entry.needed }));
    case 'receipt-stored': {
      const { contribution, contributionProof: contribution_proof, freezeProof: freeze_proof, freeze, policy } = entry;
      return image.change('receipts', [contribution], () => ({ stored_ms: time, contribution_proof, freeze_proof, freeze, policy }));
    }
    case 'sending': {
      const { row: id, name, run, bytes, digest } = entry;
      return image.put('sent', { id, name, run, bytes, digest, sent_ms: time, outcome: 'unanswered' });
    }
    case 'answered':
      return image.change('sent', [entry.row], () => ({ outcome: entry.outcome }));
    case 'instruction-refused': {
      const { row: id, run, subject, code, message, telling } = entry;
      const told = { rule: telling?.rule ?? '', reason: telling?.reason ?? '', told: telling === null ? 1 : 0 };
      return image.put('refusals', { id, run, subject, code, message, refused_ms: time, ...told });
    }
    case 'refusal-told':
      return image.change('refusals', [entry.row], () => ({ told: 1 }));
    case 'round-asked':
      return image.put('training_rounds', { run: entry.run, round: entry.round, first_ms: time });
    case 'waiting': {
      const { run, subject, reason, whatToDo: what_to_do } = entry;
      return image.put('waits', { run, subject, reason, what_to_do, since_ms: time });
    }
    case 'no-longer-waiting':
      return image.remove('waits', [entry.run, entry.subject]);
    case 'connection':
      return image.put('connection', { id: 1, state: entry.state, detail: entry.detail, changed_ms: time });
    case 'ledger-read':
      if (entry.frontier !== undefined) image.put('ledger_frontier', { id: 1, entries: entry.entries, subtrees: entry.frontier });
      return image.put('ledger_position', { id: 1, entries: entry.entries, last_entry: entry.lastEntry });
    case 'act-forgotten': {
      const { digest, run, name, epoch, e, sumKind: kind, sum } = entry;
      return image.add('forgotten_acts', { digest, run, name, epoch, e, kind, sum });
    }
    case 'split-view-found': {
      const { row: id, foundBy: found_by, what, evidence } = entry;
      return image.put('split_views', { id, found_by, what, evidence, found_ms: time, dismissed_ms: null, reason: null });
    }
    case 'split-view-dismissed':
      return image.change('split_views', [entry.row], () => ({ dismissed_ms: time, reason: entry.reason }));
    case 'roll-read': {
      const { entry: number, name, statement } = entry;
      return image.add('roll_statements', { entry: number, name, statement });
    }
    case 'roll-cleared':
      return image.rows('roll_statements').clear();
    case 'checkpoint-cosigned':
    case 'opened':
    case 'joined':
    case 'authorities-changed':
    case 'certificate-renewed':
    case 'policy-changed':
    case 'membership-left':
    case 'agent-started':
    case 'agent-stopped':
    case 'keys-erased':
    case 'material-pruned':
    case 'head-signed':
  }
}

/** The rows that the record took over when it was opened are those that its first entry counts and digests. */
export function checkOpening(entries: readonly RecordEntry[]): Finding[] {
  const [opened] = entries;
  if (opened?.kind !== 'opened') return [];
  const carried = new Map<string, CellRow[]>();
  for (const entry of entries) {
    if (entry.kind !== 'carried-over') continue;
    const rows = carried.get(entry.table) ?? [];
    rows.push(entry.row);
    carried.set(entry.table, rows);
  }
  return opened.tables.flatMap(({ table, rows, digest }) => {
    const held = carried.get(table) ?? [];
    if (held.length === rows && rowsDigest(table, held) === digest) return [];
    return [{ where: 'entry 1 of the record', problem: `it counts ${rows} rows of ${table} from before the record; others follow it` }];
  });
}

function listed(values: readonly unknown[] | null): string | null {
  return values === null ? null : JSON.stringify(values);
}
