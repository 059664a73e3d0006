import type { RunState } from '@coferment/consortium';
import { EntitySchema } from 'typeorm';
import { big, integer, json, key, optional, text } from '../persistence/column.types.js';

export interface RunRow {
  run: string;
  plan: string;
  planName: string;
  ordinal: number;
  state: RunState;
  /** Number of the current key epoch, from 1. */
  epoch: number;
  /** Sorted. */
  sites: string[];
  /** Digest of the model the run has reached, or `none`. */
  model: string;
  cause: string;
  whatToDo: string;
  /** Until when sites may approve; null: all are waited for. */
  approveByMs: number | null;
  /** Before this no key epoch starts, though every site has approved; null: with the last approval. */
  startAtMs: number | null;
  /** Asked, and without an approval when that time was over; sorted. */
  notApproved: string[];
  openedMs: number;
  closedMs: number | null;
  /** Grows by one in every transaction that changes the run: a decision made on an older version is made again. */
  version: number;
}

export const RunEntity = new EntitySchema<RunRow>({
  name: 'run',
  columns: {
    run: { ...text, ...key },
    plan: text,
    planName: { ...text, name: 'plan_name' },
    ordinal: integer,
    state: text,
    epoch: integer,
    sites: json,
    model: text,
    cause: text,
    whatToDo: { ...text, name: 'what_to_do' },
    approveByMs: { ...big, ...optional, name: 'approve_by_ms' },
    startAtMs: { ...big, ...optional, name: 'start_at_ms' },
    notApproved: { ...json, name: 'not_approved' },
    openedMs: { ...big, name: 'opened_ms' },
    closedMs: { ...big, ...optional, name: 'closed_ms' },
    version: integer,
  },
});
