import type { Strain } from './kinetics.model.js';
import type { Vessel } from './oxygen-transfer.model.js';
import type { Recipe } from './recipe.model.js';
import { BENCH_EXPORT, ELAPSED_HOURS, PILOT_SPREADSHEET, PLANT_HISTORIAN, SERIAL_DAYS } from './record-styles.catalogue.js';
import type { SiteProfile } from './site.profile.js';

/** Escherichia coli K-12 on glucose; uptake, yields and maintenance near Xu, Jahic, Enfors 1999 (Table 1). */
const STRAIN: Strain = {
  maxUptake: 1.25,
  uptakeSaturation: 0.05,
  maxOxidativeUptake: 0.95,
  yieldOxidative: 0.5,
  maintenance: 0.04,
  productPerGrowth: 0.06,
  productPerHour: 0.022,
  productOptimumTemperature: 30,
  expressionDelay: 2,
  expressionLifetime: 26,
  burden: 0.35,
};

const BENCH: Vessel = {
  startVolume: 2,
  tankDiameter: 0.13,
  impellerDiameter: 0.055,
  impellers: 2,
  stirrer: { low: 400, high: 1400 },
  gasFlow: { low: 1, high: 2 },
  pressure: 1.05,
  // Salts keep small bubbles apart: the correlation for non-coalescing media lies well above the coalescing one at bench power.
  transferFactor: 1.7,
  temperatureLag: 0.1,
  coolingLimit: 400,
};
const PILOT: Vessel = {
  startVolume: 60,
  tankDiameter: 0.4,
  impellerDiameter: 0.16,
  impellers: 2,
  stirrer: { low: 150, high: 650 },
  gasFlow: { low: 0.7, high: 1.5 },
  pressure: 1.5,
  transferFactor: 1.3,
  temperatureLag: 0.3,
  coolingLimit: 250,
};
const PRODUCTION: Vessel = {
  startVolume: 6000,
  tankDiameter: 1.8,
  impellerDiameter: 0.65,
  impellers: 3,
  stirrer: { low: 60, high: 190 },
  gasFlow: { low: 0.4, high: 1 },
  pressure: 1.9,
  transferFactor: 0.8,
  temperatureLag: 0.8,
  coolingLimit: 140,
};

const RECIPE: Recipe = {
  inoculum: 0.4,
  batchGlucose: 15,
  feedConcentration: 550,
  feed: { kind: 'exponential', growthRate: 0.16, limit: 9 },
  inductionAfterFeed: 8,
  growthTemperature: 37,
  inductionTemperature: 30,
  inductionFeed: 7,
  productionHours: 18,
  ph: 6.9,
  oxygenSetpoint: 30,
};

/** A plant that keeps to its recipe as well as campaigns, raw materials and shift plans let it. */
const NARROW = { inductionTemperature: 1.2, inductionFeedRelative: 0.18, inductionAfterFeed: 1, productionHours: 2.5, batchGlucose: 0.5 };
/** A laboratory that tries things out. */
const WIDE = { inductionTemperature: 2.5, inductionFeedRelative: 0.25, inductionAfterFeed: 2, productionHours: 3, batchGlucose: 3 };
const GOOD_LABORATORY = { everyH: 3, jitterH: 0.3, missingProduct: 0.05, assaySpread: 0.05, assayGain: 0 };
const BELOW_35 = { whenBelowTemperature: 35 };

/** Sites as unlike as real ones: scale, strain, recipe, instruments, laboratory, habits and records all differ. */
const PROFILES: readonly SiteProfile[] = [
  {
    id: 'alder',
    description: 'development laboratory, 2 L; explores cool inductions and gentle feeds',
    scale: 'bench',
    batches: 36,
    strain: STRAIN,
    vessel: BENCH,
    recipe: { ...RECIPE, inductionTemperature: 29, inductionFeed: 6.2, productionHours: 18 },
    spread: WIDE,
    instruments: { logEveryMin: 5, noise: 1, gasLagMin: 2, bias: { offgas_o2: 0.01 }, gain: {} },
    sampling: GOOD_LABORATORY,
    faults: { contamination: 0, oxygenProbeDrift: 0.1, feedInterruption: 0.05 },
    records: { ...BENCH_EXPORT, induction: { whenBelowTemperature: 34 } },
  },
  {
    id: 'birch',
    description: 'pilot plant, 60 L; steps its feed up, induces warm',
    scale: 'pilot',
    batches: 40,
    strain: { ...STRAIN, maxUptake: 1.3, productPerHour: 0.0223 },
    vessel: PILOT,
    recipe: {
      ...RECIPE,
      feed: { kind: 'step', rate: 4, increase: 1.2, everyH: 2, limit: 9 },
      inductionTemperature: 31,
      inductionFeed: 7.2,
    },
    spread: NARROW,
    instruments: { logEveryMin: 5, noise: 1.2, gasLagMin: 4, bias: { temperature: 0.15, offgas_co2: 0.02 }, gain: { air_flow: 0.01 } },
    sampling: { ...GOOD_LABORATORY, everyH: 4, assaySpread: 0.05, assayGain: 0.01 },
    faults: { contamination: 0.03, oxygenProbeDrift: 0.05, feedInterruption: 0.1 },
    records: { ...PILOT_SPREADSHEET, induction: BELOW_35 },
  },
  {
    id: 'cedar',
    description: 'production, 6 m³; one recipe, many batches, short of oxygen',
    scale: 'production',
    batches: 48,
    strain: { ...STRAIN, maxUptake: 1.2 },
    vessel: PRODUCTION,
    recipe: {
      ...RECIPE,
      feed: { kind: 'constant', rate: 5.5 },
      inductionAfterFeed: 9,
      inductionTemperature: 30.5,
      inductionFeed: 6,
      productionHours: 17,
    },
    spread: NARROW,
    instruments: {
      logEveryMin: 10,
      noise: 1.5,
      gasLagMin: 8,
      bias: { offgas_o2: -0.01, dissolved_oxygen: 1.5 },
      gain: { air_flow: -0.012 },
    },
    sampling: { ...GOOD_LABORATORY, everyH: 4, missingProduct: 0.15, assaySpread: 0.07, assayGain: -0.01 },
    faults: { contamination: 0.04, oxygenProbeDrift: 0.05, feedInterruption: 0.08 },
    records: { ...PLANT_HISTORIAN, induction: BELOW_35 },
  },
  {
    id: 'dogwood',
    description: 'start-up, 5 L; a dozen batches, fast feeds, short productions',
    scale: 'bench',
    batches: 14,
    strain: { ...STRAIN, burden: 0.34, productPerGrowth: 0.061 },
    vessel: { ...BENCH, startVolume: 5, tankDiameter: 0.17, impellerDiameter: 0.07, stirrer: { low: 300, high: 1200 } },
    recipe: {
      ...RECIPE,
      feed: { kind: 'exponential', growthRate: 0.2, limit: 12 },
      inductionAfterFeed: 6,
      inductionTemperature: 29.5,
      inductionFeed: 7.5,
      productionHours: 16,
    },
    spread: WIDE,
    instruments: { logEveryMin: 2, noise: 1, gasLagMin: 2, bias: { ph: 0.03 }, gain: {} },
    sampling: { ...GOOD_LABORATORY, everyH: 2.5, missingProduct: 0.1 },
    faults: { contamination: 0.07, oxygenProbeDrift: 0.07, feedInterruption: 0.07 },
    records: { ...ELAPSED_HOURS, induction: BELOW_35 },
  },
  {
    id: 'elm',
    description: 'contract manufacturer, 300 L; long productions at low feed',
    scale: 'pilot',
    batches: 32,
    strain: { ...STRAIN, productOptimumTemperature: 30.2 },
    vessel: { ...PILOT, startVolume: 300, tankDiameter: 0.68, impellerDiameter: 0.27, stirrer: { low: 100, high: 420 }, pressure: 1.7 },
    recipe: {
      ...RECIPE,
      feed: { kind: 'constant', rate: 6 },
      inductionAfterFeed: 7,
      inductionTemperature: 29,
      inductionFeed: 6,
      productionHours: 19,
    },
    spread: NARROW,
    instruments: { logEveryMin: 5, noise: 1, gasLagMin: 5, bias: { offgas_o2: 0.015 }, gain: { air_flow: 0.015 } },
    sampling: { ...GOOD_LABORATORY, everyH: 4 },
    faults: { contamination: 0.03, oxygenProbeDrift: 0.1, feedInterruption: 0.05 },
    records: { ...SERIAL_DAYS, induction: BELOW_35 },
  },
  {
    id: 'fir',
    description: 'production, 25 m³; induces warm by the clock, samples seldom',
    scale: 'production',
    batches: 60,
    strain: { ...STRAIN, productPerHour: 0.0216 },
    vessel: {
      ...PRODUCTION,
      startVolume: 25_000,
      tankDiameter: 2.9,
      impellerDiameter: 1,
      stirrer: { low: 40, high: 140 },
      temperatureLag: 1.2,
      transferFactor: 0.75,
    },
    recipe: {
      ...RECIPE,
      feed: { kind: 'constant', rate: 5 },
      inductionAtHour: 22,
      inductionTemperature: 31.5,
      inductionFeed: 6,
      productionHours: 16,
    },
    spread: { ...NARROW, inductionAfterFeed: 0 },
    instruments: { logEveryMin: 10, noise: 1.5, gasLagMin: 10, bias: { temperature: -0.2 }, gain: { air_flow: 0.015 } },
    sampling: { ...GOOD_LABORATORY, everyH: 6, jitterH: 0.5, missingProduct: 0.1, assaySpread: 0.07 },
    faults: { contamination: 0.05, oxygenProbeDrift: 0.05, feedInterruption: 0.1 },
    records: {
      ...PLANT_HISTORIAN,
      clock: { format: 'local', zone: 'Europe/Copenhagen', pattern: 'yyyy-MM-dd HH:mm:ss' },
      induction: { atHour: 22 },
    },
  },
  {
    id: 'ginkgo',
    description: 'university, 10 L; varies everything',
    scale: 'bench',
    batches: 18,
    strain: { ...STRAIN, expressionLifetime: 25 },
    vessel: { ...BENCH, startVolume: 10, tankDiameter: 0.22, impellerDiameter: 0.09, stirrer: { low: 250, high: 1000 } },
    recipe: { ...RECIPE, inductionTemperature: 30, inductionFeed: 6.5 },
    spread: { ...WIDE, inductionTemperature: 3 },
    instruments: { logEveryMin: 5, noise: 1.3, gasLagMin: 3, bias: { dissolved_oxygen: -1 }, gain: { feed_rate_volumetric: 0.02 } },
    sampling: { ...GOOD_LABORATORY, everyH: 3, assaySpread: 0.06 },
    faults: { contamination: 0.05, oxygenProbeDrift: 0.15, feedInterruption: 0.1 },
    records: { ...BENCH_EXPORT, induction: { whenBelowTemperature: 35.5 } },
  },
  {
    id: 'hazel',
    description: 'enzyme maker, 120 L pilot; high cell density, cool induction',
    scale: 'pilot',
    batches: 26,
    strain: { ...STRAIN, yieldOxidative: 0.48, maintenance: 0.045 },
    vessel: { ...PILOT, startVolume: 120, tankDiameter: 0.5, impellerDiameter: 0.2, stirrer: { low: 120, high: 560 } },
    recipe: {
      ...RECIPE,
      feed: { kind: 'exponential', growthRate: 0.14, limit: 11 },
      inductionAfterFeed: 10,
      inductionTemperature: 28.5,
      inductionFeed: 7.5,
    },
    spread: NARROW,
    instruments: { logEveryMin: 5, noise: 1, gasLagMin: 4, bias: { offgas_co2: -0.02 }, gain: {} },
    sampling: { ...GOOD_LABORATORY, everyH: 3.5, assayGain: 0.01 },
    faults: { contamination: 0.04, oxygenProbeDrift: 0.08, feedInterruption: 0.08 },
    records: { ...PILOT_SPREADSHEET, clock: { format: 'minutes' }, timeColumn: 'Minuten', induction: BELOW_35 },
  },
];

/** Largest virtual consortium: as many sites as a plan may have. */
const MAX_SITES = 100;

/**
 * The first `count` sites of the virtual consortium, 1 to 100. Beyond the eight profiles, later sites are sister plants of the first ones: another
 * id (`alder-2`), another strain and recipe around the same numbers.
 */
export function siteProfiles(count: number): SiteProfile[] {
  if (!Number.isInteger(count) || count < 1 || count > MAX_SITES) {
    throw new RangeError(`The virtual consortium has 1 to ${MAX_SITES} sites, not ${count}.`);
  }
  return Array.from({ length: count }, (_, index) => {
    const profile = PROFILES[index % PROFILES.length]!;
    const generation = Math.floor(index / PROFILES.length);
    return generation === 0 ? profile : sisterPlant(profile, generation);
  });
}

function sisterPlant(profile: SiteProfile, generation: number): SiteProfile {
  const shift = (generation % 2 === 0 ? 1 : -1) * Math.min(5, generation);
  return {
    ...profile,
    id: `${profile.id}-${generation + 1}`,
    strain: { ...profile.strain, productPerHour: profile.strain.productPerHour * (1 + 0.01 * shift) },
    recipe: {
      ...profile.recipe,
      inductionTemperature: profile.recipe.inductionTemperature + 0.25 * shift,
      inductionFeed: profile.recipe.inductionFeed * (1 + 0.02 * shift),
    },
  };
}
