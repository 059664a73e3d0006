import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importSite } from '@coferment/client-agent';
import { exactNames, initialState, parsePlan, planAggregation, quorumNumbers, updateBits } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import { buildDataset } from '@coferment/learning';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulateBatch } from './fermenter.simulation.js';
import { consortiumPlan, generateSite, SITE_FILES, type SiteProfile, siteProfiles, type VirtualSite, writeSiteFiles } from './index.js';
import { RandomSource } from './random.source.js';
import type { BatchFaults } from './recipe.model.js';

const FEW = 4;
const few = (profile: SiteProfile): SiteProfile => ({ ...profile, batches: FEW });
const profiles = siteProfiles(8);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'virtual-site-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function digests(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .toSorted();
  return Promise.all(paths.map(async (path) => `${path.slice(folder.length)} ${sha256Hex(await readFile(path))}`));
}

describe('a virtual site', () => {
  it('writes the same bytes for the same seed, and others for another', async () => {
    const write = async (name: string, seed: number): Promise<string[]> => {
      await writeSiteFiles(generateSite(few(profiles[2]!), seed), join(dir, name));
      return digests(join(dir, name));
    };
    const first = await write('first', 1);
    expect(await write('again', 1)).toEqual(first);
    expect(await write('other', 2)).not.toEqual(first);
  });

  it.each(profiles.map((profile) => [profile.id, profile] as const))('%s: its import finds its records again', async (id, profile) => {
    const site = generateSite(few(profile), 3);
    const folder = join(dir, id);
    await writeSiteFiles(site, folder);
    const { batches } = await importSite({ mappingFile: join(folder, SITE_FILES.mapping), dataDir: folder });
    expect(batches.map((batch) => batch.id)).toEqual(site.batches.map((batch) => batch.id));
    site.batches.forEach((truth, index) => {
      const found = batches[index]!;
      for (const [name, series] of Object.entries(truth.series)) {
        const read = found.series[name]!;
        expect(read.timeH.length).toBe(series.timeH.length);
        const worst = series.value.reduce(
          (most, value, at) => Math.max(most, Math.abs(value - read.value[at]!) / Math.max(1, Math.abs(value))),
          0,
        );
        expect(worst).toBeLessThan(1e-7);
      }
      expect(found.samples.map(({ values }) => Object.keys(values).length)).toEqual(
        truth.samples.map(({ values }) => Object.keys(values).length),
      );
      // A threshold in the records sees the phase when the temperature has moved, a little after the operator's click.
      const late = found.phaseStarts['induction']! - truth.phaseStarts['induction']!;
      expect(late).toBeGreaterThanOrEqual(-0.2);
      expect(late).toBeLessThan(0.8);
    });
  });

  it('has a sister with another id and recipe once the profiles are used up', () => {
    const [first, , , , , , , , sister] = siteProfiles(9);
    expect(sister!.id).toBe('alder-2');
    expect(sister!.recipe.inductionFeed).not.toBe(first!.recipe.inductionFeed);
    expect(new Set(siteProfiles(100).map(({ id }) => id)).size).toBe(100);
    expect(() => siteProfiles(101)).toThrow(/1 to 100/);
  });
});

describe('the fermentation behind it', () => {
  const healthy = (index: number): VirtualSite =>
    generateSite({ ...few(profiles[index]!), faults: { contamination: 0, oxygenProbeDrift: 0, feedInterruption: 0 } }, 5);

  it.each([0, 1, 2])('of site %d grows, induces and produces within physical limits', (index) => {
    for (const batch of healthy(index).batches) {
      const last = batch.samples.at(-1)!.values;
      expect(batch.phaseStarts['induction']!).toBeGreaterThan(batch.phaseStarts['fed-batch']!);
      expect(last['biomass_concentration']).toBeGreaterThan(20);
      expect(last['biomass_concentration']).toBeLessThan(90);
      const early = batch.samples.filter(({ timeH }) => timeH < batch.phaseStarts['induction']!);
      expect(early.every(({ values }) => (values['product_concentration'] ?? 0) === 0)).toBe(true);
      // More biomass than half of all glucose would be matter from nowhere.
      const volume = batch.series['liquid_volume']!.value.at(-1)!;
      const glucose = 18 * batch.series['liquid_volume']!.value[0]! + 550 * batch.series['feed_volume_cumulative']!.value.at(-1)!;
      expect(last['biomass_concentration']! * volume).toBeLessThan(0.6 * glucose);
    }
  });

  it('breathes about as much carbon dioxide out as oxygen in', () => {
    for (const batch of healthy(0).batches) {
      const sum = (name: string): number => batch.series[name]!.value.reduce((total, value) => total + value, 0);
      const quotient = sum('carbon_evolution_rate') / sum('oxygen_uptake_rate');
      expect(quotient).toBeGreaterThan(0.85);
      expect(quotient).toBeLessThan(1.25);
    }
  });

  it('makes less product when a stranger gets in, and while the feed stands still', () => {
    const { strain, vessel, recipe } = profiles[1]!;
    const end = (faults: BatchFaults): number =>
      simulateBatch({ strain, vessel, recipe, faults }, new RandomSource('fault', 1)).states.at(-1)!.product;
    expect(end({ contaminationAtHour: 10 })).toBeLessThan(0.97 * end({}));
    expect(end({ feedInterruption: { fromHour: 16, hours: 3 } })).toBeLessThan(end({}));
  });
});

describe('the plan of the virtual consortium', () => {
  it('has rows at every site and fits the aggregation, for every size', () => {
    for (const sites of [3, 4, 5, 7, 8, 12]) {
      const { keyHolders, threshold } = parsePlan(consortiumPlan(sites)).privacy;
      expect(() => planAggregation({ sites, keyHolders: keyHolders!, threshold: threshold! })).not.toThrow();
    }
    const plan = parsePlan(consortiumPlan(8));
    for (const profile of profiles) {
      const { train, holdout } = buildDataset(plan, generateSite(few(profile), 1).batches);
      expect(train.rows).toBeGreaterThan(20);
      expect(holdout.rows).toBeGreaterThan(5);
    }
  });

  it.each([3, 5, 8])('leaves every one of %i sites far more bits than the least with which a site takes part', (sites) => {
    const plan = parsePlan(consortiumPlan(sites));
    const { keyHolders, threshold } = quorumNumbers({ n: sites });
    const { valueBits } = planAggregation({ sites, keyHolders, threshold });
    const rows = siteProfiles(sites).map((profile) => buildDataset(plan, generateSite(profile, 1).batches).train.rows);
    const count = BigInt(rows.reduce((sum, own) => sum + own, 0));
    const exact = exactNames(plan, 'statistics').map((name) => (name === 'count' ? count : 0n));
    const siteIds = siteProfiles(sites).map(({ id }) => id);
    const state = initialState(plan, { ordinal: 1, siteIds, statistics: { exact, addends: sites } });
    for (const own of rows) {
      const { bits, least } = updateBits(plan, state, own, valueBits);
      expect(bits).toBeGreaterThan(least + 7);
    }
  });

  it('lets one of five sites be away', () => {
    expect(parsePlan(consortiumPlan(5))).toMatchObject({
      quorum: { minContributors: 4 },
      privacy: { keyHolders: 5, threshold: 4, collusionBound: 2 },
    });
  });

  it('needs three sites', () => expect(() => consortiumPlan(2)).toThrow(/number of sites is 2/));
});
