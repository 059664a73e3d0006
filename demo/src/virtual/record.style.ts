import type { OnlineVariable } from './sensor.model.js';

export type OfflineVariable = 'biomass_concentration' | 'substrate_concentration' | 'product_concentration';

/** UCUM units in which virtual sites record; each converts from the unit of the standard by value × factor + offset. */
export const RECORDED_UNITS = {
  Cel: { factor: 1, offset: 0 },
  K: { factor: 1, offset: 273.15 },
  '[degF]': { factor: 1.8, offset: 32 },
  '[pH]': { factor: 1, offset: 0 },
  '%': { factor: 1, offset: 0 },
  '/min': { factor: 1, offset: 0 },
  '/s': { factor: 1 / 60, offset: 0 },
  'L/min': { factor: 1, offset: 0 },
  'm3/h': { factor: 0.06, offset: 0 },
  bar: { factor: 1, offset: 0 },
  mbar: { factor: 1000, offset: 0 },
  kPa: { factor: 100, offset: 0 },
  L: { factor: 1, offset: 0 },
  mL: { factor: 1000, offset: 0 },
  m3: { factor: 0.001, offset: 0 },
  'L/h': { factor: 1, offset: 0 },
  'mL/h': { factor: 1000, offset: 0 },
  'mL/min': { factor: 1000 / 60, offset: 0 },
  'mmol/L/h': { factor: 1, offset: 0 },
  'mol/L/h': { factor: 0.001, offset: 0 },
  'g/L': { factor: 1, offset: 0 },
  'mg/L': { factor: 1000, offset: 0 },
  'g/dL': { factor: 0.1, offset: 0 },
} as const;
export type RecordedUnit = keyof typeof RECORDED_UNITS;

export interface RecordedColumn {
  /** The site's own name for it. */
  readonly column: string;
  readonly unit: RecordedUnit;
}

/** How the clock of a site's records reads. `local` has a declared zone; `hours` and `minutes` count from the start of the batch. */
export type RecordedClock =
  | { readonly format: 'iso' }
  | { readonly format: 'local'; readonly zone: string; readonly pattern: string }
  | { readonly format: 'excel-serial'; readonly zone: string }
  | { readonly format: 'hours' }
  | { readonly format: 'minutes' };

/** How a site keeps its records. */
export interface RecordStyle {
  /** One file a batch, one file with a batch column, or one long historian file that a table of start and end times cuts. */
  readonly layout: 'file-per-batch' | 'batch-column' | 'historian';
  readonly delimiter: ',' | ';';
  readonly decimal: '.' | ',';
  readonly byteOrderMark: boolean;
  readonly clock: RecordedClock;
  readonly timeColumn: string;
  readonly batchColumn: string;
  readonly online: Readonly<Record<OnlineVariable, RecordedColumn>>;
  readonly offline: Readonly<Record<OfflineVariable, RecordedColumn>>;
  /** How the mapping file finds the phases in the records. */
  readonly induction: { readonly whenBelowTemperature: number } | { readonly atHour: number };
}
