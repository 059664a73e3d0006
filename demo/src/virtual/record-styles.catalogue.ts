import type { OnlineVariable } from './sensor.model.js';
import type { OfflineVariable, RecordedColumn, RecordedUnit, RecordStyle } from './record.style.js';

type Columns<Name extends string> = Record<Name, readonly [column: string, unit: RecordedUnit]>;

function named<Name extends string>(columns: Columns<Name>): Record<Name, RecordedColumn> {
  return Object.fromEntries(
    Object.entries<readonly [string, RecordedUnit]>(columns).map(([name, [column, unit]]) => [name, { column, unit }]),
  ) as Record<Name, RecordedColumn>;
}

const benchOnline = named<OnlineVariable>({
  temperature: ['Temp', 'Cel'],
  ph: ['pH', '[pH]'],
  dissolved_oxygen: ['DO', '%'],
  stirrer_speed: ['Stir', '/min'],
  air_flow: ['Air', 'L/min'],
  pressure: ['Press', 'bar'],
  liquid_volume: ['Volume', 'mL'],
  feed_rate_volumetric: ['FeedRate', 'mL/h'],
  feed_volume_cumulative: ['FeedTotal', 'mL'],
  base_volume_cumulative: ['BaseTotal', 'mL'],
  offgas_o2: ['XO2', '%'],
  offgas_co2: ['XCO2', '%'],
  oxygen_uptake_rate: ['OUR', 'mmol/L/h'],
  carbon_evolution_rate: ['CER', 'mmol/L/h'],
});
const benchOffline = named<OfflineVariable>({
  biomass_concentration: ['CDW', 'g/L'],
  substrate_concentration: ['Glucose', 'g/L'],
  product_concentration: ['Titer', 'mg/L'],
});

/** Bench controller export: English names, one file a batch, ISO timestamps with an offset, millilitres. */
export const BENCH_EXPORT: Omit<RecordStyle, 'induction'> = {
  layout: 'file-per-batch',
  delimiter: ',',
  decimal: '.',
  byteOrderMark: false,
  clock: { format: 'iso' },
  timeColumn: 'Timestamp',
  batchColumn: 'Batch',
  online: benchOnline,
  offline: benchOffline,
};

/** Pilot plant spreadsheet export: German names, semicolons and decimal commas, local wall-clock time. */
export const PILOT_SPREADSHEET: Omit<RecordStyle, 'induction'> = {
  layout: 'batch-column',
  delimiter: ';',
  decimal: ',',
  byteOrderMark: true,
  clock: { format: 'local', zone: 'Europe/Berlin', pattern: 'dd.MM.yyyy HH:mm' },
  timeColumn: 'Zeit',
  batchColumn: 'Charge',
  online: named<OnlineVariable>({
    temperature: ['Temperatur', 'Cel'],
    ph: ['pH-Wert', '[pH]'],
    dissolved_oxygen: ['pO2', '%'],
    stirrer_speed: ['Rührerdrehzahl', '/min'],
    air_flow: ['Begasung', 'L/min'],
    pressure: ['Kopfdruck', 'mbar'],
    liquid_volume: ['Füllvolumen', 'L'],
    feed_rate_volumetric: ['Zulaufrate', 'mL/min'],
    feed_volume_cumulative: ['Zulauf gesamt', 'L'],
    base_volume_cumulative: ['Lauge gesamt', 'mL'],
    offgas_o2: ['Abgas O2', '%'],
    offgas_co2: ['Abgas CO2', '%'],
    oxygen_uptake_rate: ['OTR', 'mmol/L/h'],
    carbon_evolution_rate: ['CTR', 'mmol/L/h'],
  }),
  offline: named<OfflineVariable>({
    biomass_concentration: ['BTM', 'g/L'],
    substrate_concentration: ['Glukose', 'g/L'],
    product_concentration: ['Produkt', 'g/L'],
  }),
};

/** Plant historian: tag names, SI-leaning units (kelvin, m3/h), one long file cut by a table of batch starts and ends. */
export const PLANT_HISTORIAN: Omit<RecordStyle, 'induction'> = {
  layout: 'historian',
  delimiter: ',',
  decimal: '.',
  byteOrderMark: false,
  clock: { format: 'local', zone: 'America/New_York', pattern: 'yyyy-MM-dd HH:mm:ss' },
  timeColumn: 'TS',
  batchColumn: 'LOT',
  online: named<OnlineVariable>({
    temperature: ['TI-101.PV', 'K'],
    ph: ['AI-102.PV', '[pH]'],
    dissolved_oxygen: ['AI-103.PV', '%'],
    stirrer_speed: ['SI-104.PV', '/min'],
    air_flow: ['FI-105.PV', 'm3/h'],
    pressure: ['PI-106.PV', 'kPa'],
    liquid_volume: ['LI-107.PV', 'm3'],
    feed_rate_volumetric: ['FI-108.PV', 'L/h'],
    feed_volume_cumulative: ['FQ-108.PV', 'L'],
    base_volume_cumulative: ['FQ-109.PV', 'L'],
    offgas_o2: ['AI-110.PV', '%'],
    offgas_co2: ['AI-111.PV', '%'],
    oxygen_uptake_rate: ['OUR.CALC', 'mol/L/h'],
    carbon_evolution_rate: ['CER.CALC', 'mol/L/h'],
  }),
  offline: named<OfflineVariable>({
    biomass_concentration: ['DCW', 'g/L'],
    substrate_concentration: ['GLC', 'g/L'],
    product_concentration: ['ASSAY', 'g/L'],
  }),
};

/** Elapsed time in hours since inoculation, one file with a batch column; the laboratory reports in g/dL. */
export const ELAPSED_HOURS: Omit<RecordStyle, 'induction'> = {
  ...BENCH_EXPORT,
  layout: 'batch-column',
  clock: { format: 'hours' },
  timeColumn: 'Age_h',
  batchColumn: 'Run',
  online: {
    ...benchOnline,
    temperature: { column: 'T_F', unit: '[degF]' },
    liquid_volume: { column: 'Vol_L', unit: 'L' },
    feed_rate_volumetric: { column: 'Feed_L_h', unit: 'L/h' },
    feed_volume_cumulative: { column: 'Feed_L', unit: 'L' },
    base_volume_cumulative: { column: 'Base_L', unit: 'L' },
  },
  offline: { ...benchOffline, product_concentration: { column: 'Titer_dL', unit: 'g/dL' } },
};

/** Excel export: serial days, Chinese wall-clock time, one file a batch, minutes never written. */
export const SERIAL_DAYS: Omit<RecordStyle, 'induction'> = {
  ...BENCH_EXPORT,
  clock: { format: 'excel-serial', zone: 'Asia/Shanghai' },
  timeColumn: 'time',
  batchColumn: 'lot',
  byteOrderMark: true,
  online: {
    ...benchOnline,
    temperature: { column: 'temp_C', unit: 'Cel' },
    stirrer_speed: { column: 'agitation_rps', unit: '/s' },
    pressure: { column: 'pressure_kPa', unit: 'kPa' },
    liquid_volume: { column: 'volume_L', unit: 'L' },
    feed_rate_volumetric: { column: 'feed_L_h', unit: 'L/h' },
    feed_volume_cumulative: { column: 'feed_L', unit: 'L' },
    base_volume_cumulative: { column: 'base_L', unit: 'L' },
  },
};
