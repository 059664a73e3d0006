import {
  ACETATE_PER_OVERFLOW,
  CARBON_PER_BIOMASS,
  CARBON_PER_GLUCOSE,
  CARBON_PER_PRODUCT,
  expressionLevel,
  OXYGEN_PER_ACETATE_BURNT,
  OXYGEN_PER_GLUCOSE_BURNT,
  oxygenPerGrowthGlucose,
  productRate,
  specificRates,
  type Strain,
  YIELD_ACETATE,
} from './kinetics.model.js';
import { oxygenEquilibrium, oxygenLimitation, oxygenSaturation, transferCoefficient, type Vessel } from './oxygen-transfer.model.js';
import type { RandomSource } from './random.source.js';
import { type BatchFaults, feedDemand, type Recipe } from './recipe.model.js';

/** What truly happens in the tank at one instant; concentrations in g/L, rates in the units of the data standard. */
export interface TankState {
  readonly timeH: number;
  readonly temperature: number;
  readonly ph: number;
  /** % of saturation. */
  readonly dissolvedOxygen: number;
  readonly stirrer: number;
  readonly gasFlow: number;
  readonly volume: number;
  readonly feedRate: number;
  readonly feedVolume: number;
  readonly baseVolume: number;
  readonly oxygenUptake: number;
  readonly carbonEvolution: number;
  readonly biomass: number;
  readonly substrate: number;
  readonly product: number;
}

export interface SimulatedBatch {
  /** One state a minute. */
  readonly states: readonly TankState[];
  readonly feedStartH: number;
  readonly inductionH: number;
}

export interface FermenterInput {
  readonly strain: Strain;
  readonly vessel: Vessel;
  readonly recipe: Recipe;
  readonly faults: BatchFaults;
}

const STEP_H = 1 / 60;
/** The feed starts when the batch glucose is gone, at the latest now. */
const LATEST_FEED_START_H = 16;
const FEED_START_GLUCOSE = 0.15;
/** 25 % ammonia, and what growth takes of it: about 8.6 mmol nitrogen per gram of biomass. */
const BASE_MOLARITY_MMOL = 7000;
const NITROGEN_PER_BIOMASS = 8.6;
const ACID_PER_ACETATE = 16.65;
/** A stranger that makes no product and is far quicker at the low glucose of a fed batch, where uptake over saturation constant decides. */
const CONTAMINANT = { inoculum: 0.02, uptake: 3.6, yield: 0.42, oxygenPerGlucose: 15 };
const HEAT_RISE_PER_OXYGEN = 0.03;
const YIELD_OVERFLOW = 0.12;

interface Fluid {
  biomass: number;
  substrate: number;
  acetate: number;
  product: number;
  contaminant: number;
}

/** Runs one batch from inoculation to harvest with a step of one minute. Pure apart from the random source it is handed. */
export function simulateBatch({ strain, vessel, recipe, faults }: FermenterInput, random: RandomSource): SimulatedBatch {
  const fluid: Fluid = { biomass: recipe.inoculum, substrate: recipe.batchGlucose, acetate: 0, product: 0, contaminant: 0 };
  let volume = vessel.startVolume;
  let temperature = recipe.growthTemperature;
  let phDeviation = 0;
  let stirrer = vessel.stirrer.low;
  let gasFlow = vessel.gasFlow.low * vessel.startVolume;
  let probe = 100;
  let feedVolume = 0;
  let baseVolume = 0;
  let feedStartH: number | undefined;
  let biomassAtFeed = recipe.inoculum;
  let inductionH: number | undefined;
  const states: TankState[] = [];

  for (let minute = 0; ; minute++) {
    const timeH = minute * STEP_H;
    if (feedStartH === undefined && (fluid.substrate < FEED_START_GLUCOSE || timeH >= LATEST_FEED_START_H)) {
      feedStartH = timeH;
      biomassAtFeed = fluid.biomass;
    }
    if (inductionH === undefined && feedStartH !== undefined) {
      const due = recipe.inductionAtHour ?? feedStartH + recipe.inductionAfterFeed;
      if (timeH >= due) inductionH = timeH;
    }
    if (faults.contaminationAtHour !== undefined && fluid.contaminant === 0 && timeH >= faults.contaminationAtHour) {
      fluid.contaminant = CONTAMINANT.inoculum;
    }

    const induced = inductionH !== undefined;
    const interruption = faults.feedInterruption;
    const interrupted = interruption !== undefined && timeH >= interruption.fromHour && timeH < interruption.fromHour + interruption.hours;
    const glucoseFeed =
      feedStartH === undefined || interrupted
        ? 0
        : induced
          ? recipe.inductionFeed
          : feedDemand(recipe, timeH - feedStartH, biomassAtFeed, strain.yieldOxidative);
    const feedRate = (glucoseFeed * vessel.startVolume) / recipe.feedConcentration;

    const ph = recipe.ph + phDeviation;
    const expression = inductionH === undefined ? 0 : expressionLevel(strain, timeH - inductionH);
    const culture = { substrate: fluid.substrate, acetate: fluid.acetate, temperature, ph, expression };
    const rates = specificRates(strain, culture);

    // Glucose is implicit in its own uptake: at a fed batch's low glucose the explicit step would be unstable.
    const supply = fluid.substrate + (STEP_H * feedRate * recipe.feedConcentration) / volume;
    const pull = STEP_H * (rates.uptakeCapacity * fluid.biomass + CONTAMINANT.uptake * fluid.contaminant);
    const half = strain.uptakeSaturation - supply + pull;
    const substrate = (-half + Math.sqrt(half * half + 4 * supply * strain.uptakeSaturation)) / 2;
    const saturation = substrate / (substrate + strain.uptakeSaturation);

    const uptake = rates.uptakeCapacity * saturation;
    const oxidised = Math.min(uptake, rates.oxidativeCapacity);
    const acetateUptake = Math.min(rates.acetateUptake, rates.oxidativeCapacity - oxidised);
    const contaminantUptake = CONTAMINANT.uptake * saturation;
    const burntForLife = Math.min(oxidised, strain.maintenance);
    const demand =
      fluid.biomass *
        ((oxidised - burntForLife) * oxygenPerGrowthGlucose(strain) +
          burntForLife * OXYGEN_PER_GLUCOSE_BURNT +
          acetateUptake * OXYGEN_PER_ACETATE_BURNT * (1 - YIELD_ACETATE)) +
      fluid.contaminant * contaminantUptake * CONTAMINANT.oxygenPerGlucose;
    const transfer = transferCoefficient(vessel, stirrer, gasFlow, volume);
    const oxygen = oxygenEquilibrium(transfer, oxygenSaturation(vessel, temperature), demand);
    const met = oxygenLimitation(oxygen);

    const overflow = uptake - oxidised * met;
    const growthRate =
      (oxidised * met - strain.maintenance) * strain.yieldOxidative + overflow * YIELD_OVERFLOW + acetateUptake * met * YIELD_ACETATE;
    const acetateMade = overflow * ACETATE_PER_OVERFLOW;
    const making = productRate(strain, culture, growthRate) * met;
    const oxygenUptake = demand * met;
    const carbonEvolution = Math.max(
      0,
      fluid.biomass *
        (CARBON_PER_GLUCOSE * (uptake + acetateUptake * met - acetateMade) -
          CARBON_PER_BIOMASS * growthRate -
          CARBON_PER_PRODUCT * making) +
        fluid.contaminant * contaminantUptake * (CARBON_PER_GLUCOSE - CONTAMINANT.yield * CARBON_PER_BIOMASS),
    );

    states.push({
      timeH,
      temperature,
      ph,
      dissolvedOxygen: oxygen * 100,
      stirrer,
      gasFlow,
      volume,
      feedRate,
      feedVolume,
      baseVolume,
      oxygenUptake,
      carbonEvolution,
      biomass: fluid.biomass + fluid.contaminant,
      substrate: fluid.substrate,
      product: fluid.product,
    });
    if (feedStartH !== undefined && inductionH !== undefined && timeH >= inductionH + recipe.productionHours) {
      return { states, feedStartH, inductionH };
    }

    const acid = NITROGEN_PER_BIOMASS * growthRate + ACID_PER_ACETATE * (acetateMade - acetateUptake * met);
    const baseRate = (Math.max(0, acid) * fluid.biomass * volume) / BASE_MOLARITY_MMOL;
    const inflow = (feedRate + baseRate) * STEP_H;
    const dilution = volume / (volume + inflow);
    const biomass = fluid.biomass;
    fluid.biomass = biomass * (1 + STEP_H * growthRate) * dilution;
    fluid.acetate = Math.max(0, fluid.acetate + STEP_H * biomass * (acetateMade - acetateUptake * met)) * dilution;
    fluid.product = (fluid.product + STEP_H * biomass * making) * dilution;
    fluid.contaminant *= (1 + STEP_H * contaminantUptake * CONTAMINANT.yield * met) * dilution;
    fluid.substrate = Math.max(0, substrate) * dilution;
    volume += inflow;
    feedVolume += feedRate * STEP_H;
    baseVolume += baseRate * STEP_H;

    const setpoint = induced ? recipe.inductionTemperature : recipe.growthTemperature;
    const warmed = setpoint + HEAT_RISE_PER_OXYGEN * Math.max(0, oxygenUptake - vessel.coolingLimit);
    temperature += ((warmed - temperature) * STEP_H) / vessel.temperatureLag;
    phDeviation = phDeviation * 0.98 + 0.006 * random.normal();

    // Cascade: the stirrer first, gas only once the stirrer is at its end; both follow what the probe says, true or not.
    probe += (oxygen * 100 + (faults.oxygenProbeDrift ?? 0) * timeH - probe) * 0.5;
    const error = Math.max(-20, Math.min(20, recipe.oxygenSetpoint - probe));
    const span = vessel.stirrer.high - vessel.stirrer.low;
    const atTop = stirrer >= vessel.stirrer.high - 1e-9;
    const gasLow = vessel.gasFlow.low * vessel.startVolume;
    const gasHigh = vessel.gasFlow.high * vessel.startVolume;
    if (atTop || gasFlow > gasLow) gasFlow = clamp(gasFlow + (gasHigh - gasLow) * 0.001 * error, gasLow, gasHigh);
    if (gasFlow <= gasLow || error > 0) stirrer = clamp(stirrer + span * 0.001 * error, vessel.stirrer.low, vessel.stirrer.high);
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
