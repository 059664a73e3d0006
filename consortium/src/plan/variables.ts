/**
 * The standard's variables. Ranges are physical limits of fermentation at any scale, bench to production: they flag readings that no process
 * can give, and they bound what the encrypted statistics sum can carry. They are public, so they must never be derived from a site's data.
 * A plan whose sites all work at one scale narrows them (`sample.ranges`): a range far wider than the data costs the statistics their precision.
 */
export interface Variable {
  readonly name: string;
  /** UCUM code of the unit in which every site states it. */
  readonly unit: string;
  /** Valid range in that unit, both ends included. */
  readonly low: number;
  readonly high: number;
  /** How it usually reaches the record; a site's mapping file says what holds there. */
  readonly method: 'inline' | 'offline';
  readonly class: 'condition' | 'process' | 'calculated' | 'product';
}

const inline = (name: string, unit: string, low: number, high: number, kind: Variable['class']): Variable => ({
  name,
  unit,
  low,
  high,
  method: 'inline',
  class: kind,
});
const offline = (name: string, unit: string, low: number, high: number, kind: Variable['class']): Variable => ({
  ...inline(name, unit, low, high, kind),
  method: 'offline',
});

export const VARIABLES: readonly Variable[] = [
  inline('temperature', 'Cel', 0, 80, 'condition'),
  inline('ph', '[pH]', 0, 14, 'condition'),
  // Per cent of air saturation at calibration: oxygen enrichment and overpressure go far beyond 100.
  inline('dissolved_oxygen', '%', 0, 500, 'condition'),
  inline('stirrer_speed', '/min', 0, 3000, 'condition'),
  inline('air_flow', 'L/min', 0, 200_000, 'condition'),
  inline('pressure', 'bar', 0, 10, 'condition'),
  inline('liquid_volume', 'L', 0, 500_000, 'process'),
  inline('feed_rate_volumetric', 'L/h', 0, 10_000, 'condition'),
  inline('feed_volume_cumulative', 'L', 0, 500_000, 'process'),
  inline('base_volume_cumulative', 'L', 0, 50_000, 'process'),
  inline('offgas_o2', '%', 0, 100, 'process'),
  inline('offgas_co2', '%', 0, 100, 'process'),
  inline('oxygen_uptake_rate', 'mmol/L/h', 0, 1000, 'calculated'),
  inline('carbon_evolution_rate', 'mmol/L/h', 0, 1000, 'calculated'),
  offline('biomass_concentration', 'g/L', 0, 300, 'process'),
  offline('substrate_concentration', 'g/L', 0, 800, 'process'),
  offline('product_concentration', 'g/L', 0, 300, 'product'),
];

export const VARIABLE_NAMES: readonly string[] = VARIABLES.map((variable) => variable.name);

const byName = new Map(VARIABLES.map((variable) => [variable.name, variable]));

/** The standard's record of a canonical name, or undefined when the standard has no such variable. */
export function findVariable(name: string): Variable | undefined {
  return byName.get(name);
}
