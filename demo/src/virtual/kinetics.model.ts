/**
 * Rates of a recombinant, product-forming bacterium on glucose. Every rate is per gram of dry biomass and hour.
 *
 * Sources: substrate uptake with a limited oxidative capacity and overflow to acetate: Xu, Jahic, Enfors (Biotechnology Progress 1999);
 * saturation: Monod (Annual Review of Microbiology 1949); maintenance: Pirt (Proceedings of the Royal Society B 1965); product formation:
 * Luedeking, Piret (Journal of Biochemical and Microbiological Technology and Engineering 1959); temperature: Rosso, Lobry, Flandrois
 * (Journal of Theoretical Biology 1993); pH: Rosso, Lobry, Bajard, Flandrois (Applied and Environmental Microbiology 1995).
 */
export interface Strain {
  /** Largest glucose uptake, g/(g h). */
  readonly maxUptake: number;
  /** Glucose concentration at half the largest uptake, g/L. */
  readonly uptakeSaturation: number;
  /** Largest glucose uptake that respiration can burn; what is taken up beyond it leaves as acetate, g/(g h). */
  readonly maxOxidativeUptake: number;
  /** Biomass from oxidised glucose, g/g. */
  readonly yieldOxidative: number;
  /** Glucose burnt to stay alive, g/(g h). */
  readonly maintenance: number;
  /** Growth-associated product, g/g (Luedeking–Piret α). */
  readonly productPerGrowth: number;
  /** Product of induced cells that do not grow, g/(g h) (Luedeking–Piret β). */
  readonly productPerHour: number;
  /** Temperature at which induced cells make most product, Cel. */
  readonly productOptimumTemperature: number;
  /** Time over which expression builds up after induction, h. */
  readonly expressionDelay: number;
  /** Time over which induced cells wear out, h. */
  readonly expressionLifetime: number;
  /** Share of glucose uptake that full expression costs (metabolic burden), 0–1. */
  readonly burden: number;
}

export interface Culture {
  /** g/L. */
  readonly substrate: number;
  readonly acetate: number;
  /** Cel. */
  readonly temperature: number;
  readonly ph: number;
  /** Expression level of the induced gene, 0–1. */
  readonly expression: number;
}

/** Specific rates before oxygen is looked at; `oxygenDemand` in mmol/(g h), the others in g/(g h). */
export interface SpecificRates {
  readonly uptakeCapacity: number;
  readonly oxidativeCapacity: number;
  readonly acetateUptake: number;
}

const CARDINAL_TEMPERATURES = { low: 8, optimum: 37, high: 46 };
const CARDINAL_PH = { low: 4.4, optimum: 7, high: 9.2 };
const ACETATE_INHIBITION = 5;
const ACETATE_SATURATION = 0.05;
const MAX_ACETATE_UPTAKE = 0.12;

/** Full oxidation of glucose: 6 mol O2 and 6 mol CO2 per 180.16 g. */
export const OXYGEN_PER_GLUCOSE_BURNT = 33.3;
export const CARBON_PER_GLUCOSE = 33.3;
/** Full oxidation of acetic acid: 2 mol per 60.05 g. */
export const OXYGEN_PER_ACETATE_BURNT = 33.3;
export const CARBON_PER_BIOMASS = 39.6;
export const CARBON_PER_PRODUCT = 44;
export const ACETATE_PER_OVERFLOW = 0.667;
export const YIELD_ACETATE = 0.4;

/** Cardinal temperature model with inflection, 1 at the optimum. */
export function temperatureFactor(temperature: number): number {
  const { low, optimum, high } = CARDINAL_TEMPERATURES;
  if (temperature <= low || temperature >= high) return 0;
  const numerator = (temperature - high) * (temperature - low) ** 2;
  const denominator = (optimum - low) * ((optimum - low) * (temperature - optimum) - (optimum - high) * (optimum + low - 2 * temperature));
  return numerator / denominator;
}

/** Cardinal pH model, 1 at the optimum. */
export function phFactor(ph: number): number {
  const { low, optimum, high } = CARDINAL_PH;
  if (ph <= low || ph >= high) return 0;
  return ((ph - low) * (ph - high)) / ((ph - low) * (ph - high) - (ph - optimum) ** 2);
}

/** How well induced cells fold the product at a temperature, 1 at the strain's optimum: warm cells make inclusion bodies, cold ones little of anything. */
export function productTemperatureFactor(strain: Strain, temperature: number): number {
  const distance = (temperature - strain.productOptimumTemperature) / 6;
  return Math.exp(-0.5 * distance * distance);
}

/** Expression after induction: builds up, then wears out. `hours` is negative before induction. */
export function expressionLevel(strain: Strain, hours: number): number {
  if (hours <= 0) return 0;
  return (1 - Math.exp(-hours / strain.expressionDelay)) * Math.exp(-hours / strain.expressionLifetime);
}

export function specificRates(strain: Strain, culture: Culture): SpecificRates {
  const vigour = temperatureFactor(culture.temperature) * phFactor(culture.ph) * (1 - strain.burden * culture.expression);
  return {
    uptakeCapacity: (strain.maxUptake * vigour) / (1 + culture.acetate / ACETATE_INHIBITION),
    oxidativeCapacity: strain.maxOxidativeUptake * vigour,
    acetateUptake: MAX_ACETATE_UPTAKE * vigour * (culture.acetate / (culture.acetate + ACETATE_SATURATION)),
  };
}

/** Luedeking–Piret with expression and temperature, g product per g biomass and hour. */
export function productRate(strain: Strain, culture: Culture, growthRate: number): number {
  return (
    (strain.productPerGrowth * Math.max(0, growthRate) + strain.productPerHour) *
    culture.expression *
    productTemperatureFactor(strain, culture.temperature)
  );
}

/** Oxygen that glucose burnt for growth and maintenance takes, mmol per gram: what carbon does not end in biomass is respired. */
export function oxygenPerGrowthGlucose(strain: Strain): number {
  return OXYGEN_PER_GLUCOSE_BURNT - strain.yieldOxidative * CARBON_PER_BIOMASS * 1.05;
}
