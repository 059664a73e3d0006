import type { OfflineSample, SiteBatch } from '@coferment/learning';
import { type SimulatedBatch, simulateBatch } from './fermenter.simulation.js';
import { RandomSource } from './random.source.js';
import type { BatchFaults, Recipe } from './recipe.model.js';
import { recordOnline, rounded } from './sensor.model.js';
import type { SiteProfile } from './site.profile.js';

/** A batch with the instant it started at; everything else is what the site's import has to find again. */
export interface VirtualBatch extends SiteBatch {
  /** ISO 8601, UTC, whole minutes. */
  readonly startedAt: string;
  /** What went wrong in it; a real site would not know. */
  readonly faults: BatchFaults;
}

export interface VirtualSite {
  readonly id: string;
  readonly profile: SiteProfile;
  readonly batches: readonly VirtualBatch[];
}

/** Well clear of the hour that daylight saving repeats in autumn, which no importer may guess. */
const FIRST_START = Date.UTC(2025, 0, 7, 6, 0);
const PRODUCT_ASSAY_DIGITS = 3;

/** The same profile and seed give the same batches, bit for bit. */
export function generateSite(profile: SiteProfile, seed: number): VirtualSite {
  const batches: VirtualBatch[] = [];
  let startsAt = FIRST_START;
  for (let index = 0; index < profile.batches; index++) {
    const id = `${profile.id.slice(0, 3).toUpperCase()}-${String(index + 1).padStart(3, '0')}`;
    const random = new RandomSource(profile.id, seed, index);
    const batch = generateBatch(profile, id, startsAt, random);
    batches.push(batch);
    const lengthH = batch.series['temperature']?.timeH.at(-1) ?? 0;
    startsAt += Math.round(lengthH * 60 + random.between(300, 1200)) * 60_000;
  }
  return { id: profile.id, profile, batches };
}

function generateBatch(profile: SiteProfile, id: string, startsAt: number, random: RandomSource): VirtualBatch {
  const recipe = varyRecipe(profile, random);
  const faults = drawFaults(profile, recipe, random);
  // No two seed cultures are alike: vigour moves by a few percent, and expression by more (plasmid copies, age of the seed).
  const expression = 1 + 0.09 * random.normal();
  const strain = {
    ...profile.strain,
    maxUptake: profile.strain.maxUptake * (1 + 0.03 * random.normal()),
    productPerGrowth: profile.strain.productPerGrowth * expression,
    productPerHour: profile.strain.productPerHour * expression,
  };
  const run = simulateBatch({ strain, vessel: profile.vessel, recipe, faults }, random);
  return {
    id,
    startedAt: new Date(startsAt).toISOString(),
    scale: profile.scale,
    phaseStarts: { batch: 0, 'fed-batch': run.feedStartH, induction: run.inductionH },
    series: recordOnline(run.states, profile.vessel, profile.instruments, faults.oxygenProbeDrift ?? 0, random),
    samples: takeSamples(profile, run, random),
    faults,
  };
}

function varyRecipe({ recipe, spread }: SiteProfile, random: RandomSource): Recipe {
  const around = (centre: number, halfWidth: number): number => random.between(centre - halfWidth, centre + halfWidth);
  return {
    ...recipe,
    inoculum: recipe.inoculum * random.between(0.85, 1.15),
    batchGlucose: around(recipe.batchGlucose, spread.batchGlucose),
    inductionTemperature: rounded(around(recipe.inductionTemperature, spread.inductionTemperature), 1),
    inductionFeed: recipe.inductionFeed * around(1, spread.inductionFeedRelative),
    inductionAfterFeed: around(recipe.inductionAfterFeed, spread.inductionAfterFeed),
    productionHours: around(recipe.productionHours, spread.productionHours),
  };
}

function drawFaults({ faults }: SiteProfile, recipe: Recipe, random: RandomSource): BatchFaults {
  return {
    ...(random.chance(faults.contamination) && { contaminationAtHour: random.between(8, 18) }),
    ...(random.chance(faults.oxygenProbeDrift) && { oxygenProbeDrift: random.between(-0.6, 0.6) }),
    ...(random.chance(faults.feedInterruption) && {
      feedInterruption: { fromHour: random.between(12, 12 + recipe.productionHours), hours: random.between(0.5, 2) },
    }),
  };
}

function takeSamples({ sampling }: SiteProfile, run: SimulatedBatch, random: RandomSource): OfflineSample[] {
  const samples: OfflineSample[] = [];
  const lastMinute = run.states.length - 1;
  const assay = (truth: number, gain: number): number =>
    rounded(Math.max(0, truth * (1 + gain) * (1 + sampling.assaySpread * random.normal())), PRODUCT_ASSAY_DIGITS);
  for (let plannedH = 0; ; plannedH += sampling.everyH) {
    const jitter = plannedH === 0 ? 0 : random.between(-sampling.jitterH, sampling.jitterH);
    const minute = Math.round((plannedH + jitter) * 60);
    // The last sample is taken at harvest, whenever that is.
    const taken = Math.min(minute, lastMinute);
    const state = run.states[taken];
    if (state === undefined) return samples;
    const values: Record<string, number> = {
      biomass_concentration: assay(state.biomass, 0),
      substrate_concentration: assay(state.substrate, 0),
    };
    if (!random.chance(sampling.missingProduct)) values['product_concentration'] = assay(state.product, sampling.assayGain);
    samples.push({ timeH: taken / 60, values });
    if (taken === lastMinute) return samples;
  }
}
