import type { BatchScale } from '@coferment/learning';

export type DataFlagKind =
  | 'out-of-range'
  | 'no-records'
  | 'gap'
  | 'flat-line'
  | 'duplicate-rows'
  | 'sample-without-records'
  | 'phase-not-reached'
  | 'rows-outside-batches'
  | 'empty-rows';

/** Something an engineer should look at. The records are kept as they are: a flag never changes data. */
export interface DataFlag {
  readonly kind: DataFlagKind;
  readonly text: string;
  readonly count: number;
  readonly batch?: string;
  readonly variable?: string;
  readonly file?: string;
  readonly line?: number;
}

export interface FileSummary {
  readonly source: string;
  readonly file: string;
  readonly rows: number;
  readonly notSelected: number;
}

/** What one batch holds of one variable, in the unit of the standard. `low` and `high` are absent when every cell was empty. */
export interface VariableSummary {
  readonly variable: string;
  readonly unit: string;
  readonly role: 'online' | 'offline';
  readonly records: number;
  readonly missing: number;
  readonly low?: number;
  readonly high?: number;
}

export interface BatchSummary {
  readonly id: string;
  readonly fromH: number;
  readonly toH: number;
  readonly phaseStarts: Readonly<Record<string, number>>;
  readonly samples: number;
  readonly variables: readonly VariableSummary[];
}

/** Plain JSON. Stays at the site like the records it describes. */
export interface DataReport {
  readonly schema: 1;
  readonly site: string;
  readonly scale: BatchScale;
  readonly files: readonly FileSummary[];
  readonly batches: readonly BatchSummary[];
  readonly flags: readonly DataFlag[];
}
