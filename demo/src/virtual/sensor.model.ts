import type { Series } from '@coferment/learning';
import type { TankState } from './fermenter.simulation.js';
import type { Vessel } from './oxygen-transfer.model.js';
import type { RandomSource } from './random.source.js';

/** Online variables of a virtual site, in the units of the data standard. */
export const ONLINE_VARIABLES = [
  'temperature',
  'ph',
  'dissolved_oxygen',
  'stirrer_speed',
  'air_flow',
  'pressure',
  'liquid_volume',
  'feed_rate_volumetric',
  'feed_volume_cumulative',
  'base_volume_cumulative',
  'offgas_o2',
  'offgas_co2',
  'oxygen_uptake_rate',
  'carbon_evolution_rate',
] as const;
export type OnlineVariable = (typeof ONLINE_VARIABLES)[number];
type MeasuredVariable = Exclude<OnlineVariable, 'oxygen_uptake_rate' | 'carbon_evolution_rate'>;

/** How good the instruments of a site are. */
export interface Instruments {
  /** Minutes between two records. */
  readonly logEveryMin: number;
  /** Multiplies the usual noise. */
  readonly noise: number;
  /** Time constant of the gas analyser and its line, min. */
  readonly gasLagMin: number;
  /** Calibration errors of the site, constant over its batches, in the unit of the variable. */
  readonly bias: Partial<Record<MeasuredVariable, number>>;
  /** Relative calibration errors. */
  readonly gain: Partial<Record<MeasuredVariable, number>>;
}

/** Standard deviation in the unit of the variable, or relative to the value where `relative` is set; `digits` as the instrument shows them. */
const USUAL: Record<MeasuredVariable, { noise: number; relative?: true; digits: number }> = {
  temperature: { noise: 0.05, digits: 2 },
  ph: { noise: 0.01, digits: 2 },
  dissolved_oxygen: { noise: 0.6, digits: 1 },
  stirrer_speed: { noise: 0.004, relative: true, digits: 1 },
  air_flow: { noise: 0.005, relative: true, digits: 3 },
  pressure: { noise: 0.002, digits: 3 },
  liquid_volume: { noise: 0.003, relative: true, digits: 3 },
  feed_rate_volumetric: { noise: 0.01, relative: true, digits: 5 },
  feed_volume_cumulative: { noise: 0, digits: 5 },
  base_volume_cumulative: { noise: 0, digits: 5 },
  offgas_o2: { noise: 0.015, digits: 3 },
  offgas_co2: { noise: 0.01, digits: 3 },
};

const OXYGEN_IN_AIR = 20.95;
const CARBON_DIOXIDE_IN_AIR = 0.04;
/** mmol of gas in a norm litre at 25 Cel and 1 atm. */
const MMOL_PER_LITRE_GAS = 1000 / 24.46;

/** What the site's instruments record of a batch, with the rates its control system calculates from them. */
export function recordOnline(
  states: readonly TankState[],
  vessel: Vessel,
  instruments: Instruments,
  probeDriftPerHour: number,
  random: RandomSource,
): Record<OnlineVariable, Series> {
  const rows = Math.floor((states.length - 1) / instruments.logEveryMin) + 1;
  const timeH = new Float64Array(rows);
  const columns = Object.fromEntries(ONLINE_VARIABLES.map((name) => [name, new Float64Array(rows)])) as Record<
    OnlineVariable,
    Float64Array
  >;
  let leanO2 = OXYGEN_IN_AIR;
  let richCO2 = CARBON_DIOXIDE_IN_AIR;

  states.forEach((state, minute) => {
    const gas = state.gasFlow * MMOL_PER_LITRE_GAS * 60;
    const follow = 1 / Math.max(1, instruments.gasLagMin);
    leanO2 += (OXYGEN_IN_AIR - (100 * state.oxygenUptake * state.volume) / gas - leanO2) * follow;
    richCO2 += (CARBON_DIOXIDE_IN_AIR + (100 * state.carbonEvolution * state.volume) / gas - richCO2) * follow;
    if (minute % instruments.logEveryMin !== 0) return;

    const row = minute / instruments.logEveryMin;
    const read = (name: MeasuredVariable, truth: number): number => {
      const { noise, relative, digits } = USUAL[name];
      const spread = noise * instruments.noise * (relative === undefined ? 1 : Math.abs(truth));
      const shown = truth * (1 + (instruments.gain[name] ?? 0)) + (instruments.bias[name] ?? 0) + spread * random.normal();
      const value = rounded(NEVER_NEGATIVE.has(name) ? Math.max(0, shown) : shown, digits);
      columns[name][row] = value;
      return value;
    };
    timeH[row] = minute / 60;
    read('temperature', state.temperature);
    read('ph', state.ph);
    read('dissolved_oxygen', state.dissolvedOxygen + probeDriftPerHour * state.timeH);
    read('stirrer_speed', state.stirrer);
    const airFlow = read('air_flow', state.gasFlow);
    read('pressure', vessel.pressure);
    const volume = read('liquid_volume', state.volume);
    read('feed_rate_volumetric', state.feedRate);
    read('feed_volume_cumulative', state.feedVolume);
    read('base_volume_cumulative', state.baseVolume);
    const o2 = read('offgas_o2', leanO2);
    const co2 = read('offgas_co2', richCO2);
    // The control system knows only its own readings, so a wrong analyser becomes a wrong rate.
    const measuredGas = (airFlow * MMOL_PER_LITRE_GAS * 60) / 100 / volume;
    columns.oxygen_uptake_rate[row] = rounded(Math.max(0, measuredGas * (OXYGEN_IN_AIR - o2)), 3);
    columns.carbon_evolution_rate[row] = rounded(Math.max(0, measuredGas * (co2 - CARBON_DIOXIDE_IN_AIR)), 3);
  });
  return Object.fromEntries(ONLINE_VARIABLES.map((name) => [name, { timeH, value: columns[name] }])) as Record<OnlineVariable, Series>;
}

const NEVER_NEGATIVE: ReadonlySet<MeasuredVariable> = new Set([
  'dissolved_oxygen',
  'feed_rate_volumetric',
  'offgas_co2',
  'offgas_o2',
  'air_flow',
  'stirrer_speed',
]);

export function rounded(value: number, digits: number): number {
  const scale = 10 ** digits;
  return Math.round(value * scale) / scale;
}
