import { sha256Hex } from '@coferment/crypto';
import type { SQLOutputValue } from 'node:sqlite';

/** A value as the record has it: bytes, and texts that are long or secret, stand as their SHA-256. */
export type Cell = string | number | null;
export type CellRow = Record<string, Cell>;

/**
 * Tables whose rows follow from the record, with the columns that name a row. Not among them: the record and its heads, which are checked by themselves,
 * and `views` and `cosigned`, which change too often and have checksums. A new table gets a kind of entry and a case in record.replay; a migration that adds a column to one of these writes the rows
 * into the record again.
 */
export const RECORDED_TABLES = {
  plan_approvals: ['id'],
  roster_approvals: ['id'],
  shown_rosters: ['run', 'epoch'],
  runs: ['run'],
  epochs: ['run', 'epoch'],
  statements: ['run', 'name', 'subject'],
  sealed_vectors: ['plan', 'kind', 'model_in'],
  commitment_salts: ['commitment'],
  last_encrypted: ['run'],
  frozen_sums: ['run', 'sum'],
  counted_sets: ['consortium', 'kind', 'model_in'],
  replaced_sets: ['consortium', 'kind', 'model_in', 'place'],
  new_sets: ['proposal'],
  run_states: ['run'],
  round_steps: ['run', 'sum'],
  spot_checks: ['run', 'sum'],
  sent: ['id'],
  refusals: ['id'],
  training_rounds: ['run', 'round'],
  waits: ['run', 'subject'],
  connection: ['id'],
  receipts: ['contribution'],
  ledger_position: ['id'],
  forgotten_acts: ['digest'],
  dead_epochs: ['run', 'epoch'],
  split_views: ['id'],
  roll_statements: ['entry'],
  ledger_frontier: ['id'],
} as const satisfies Record<string, readonly string[]>;

export type RecordedTable = keyof typeof RECORDED_TABLES;
export const recordedTables = Object.keys(RECORDED_TABLES) as RecordedTable[];

/** Texts that would make entries long. */
const DIGESTED: ReadonlySet<string> = new Set([
  'statements.envelope',
  'run_states.state',
  'receipts.contribution_proof',
  'receipts.freeze_proof',
  'receipts.freeze',
  'receipts.policy',
  'split_views.evidence',
  'roll_statements.statement',
  'ledger_frontier.subtrees',
]);

export function cellsOf(table: RecordedTable, row: Record<string, SQLOutputValue>): CellRow {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, cellOf(`${table}.${column}`, value)]));
}

function cellOf(name: string, value: SQLOutputValue): Cell {
  if (value instanceof Uint8Array) return sha256Hex(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string' && DIGESTED.has(name)) return textDigest(value);
  return value;
}

export function textDigest(text: string): string {
  return sha256Hex(Buffer.from(text, 'utf8'));
}

/** Names a row within its table. */
export function keyOf(table: RecordedTable, row: CellRow): string {
  return JSON.stringify(RECORDED_TABLES[table].map((column) => row[column] ?? null));
}

/** In the order of their keys, so that every reader digests the rows of a table alike. */
export function orderOf(table: RecordedTable): string {
  return RECORDED_TABLES[table].join(', ');
}
