import { initialModel, normalisationFromStatistics, parsePlan } from '@coferment/consortium';
import { buildDataset, initBackend, localStatistics } from '@coferment/learning';
import { beforeAll, describe, expect, it } from 'vitest';
import { consortiumPlan, generateSite, siteProfiles } from '../virtual/index.js';
import { runBaselines } from './baseline.comparison.js';

beforeAll(async () => {
  await initBackend('wasm');
});

describe('the comparison of a federated model with its baselines', () => {
  const plan = parsePlan(consortiumPlan(3));
  const sites = siteProfiles(3).map((profile) => ({
    id: profile.id,
    dataset: buildDataset(plan, generateSite({ ...profile, batches: 6 }, 1).batches),
  }));
  const untrained = {
    plan,
    sites,
    rounds: 4,
    seed: 1,
    federatedModel: initialModel(plan, 1, ['alder']),
    federatedNormalisation: normalisationFromStatistics(plan, { exact: localStatistics(plan, sites[0]!.dataset.train), addends: 1 }),
  };

  it('grades every model on the held-out batches of all sites', async () => {
    const { testRows, sites: each, overall } = await runBaselines(untrained);
    expect(testRows).toBe(sites.reduce((total, { dataset }) => total + dataset.holdout.rows, 0));
    expect(each.map(({ id }) => id)).toEqual(['alder', 'birch', 'cedar']);
    expect(overall.localOnly).toBeCloseTo(each.reduce((total, site) => total + site.localOnly, 0) / 3, 12);
    // An untrained model has learnt nothing; all rows together teach more than one site's.
    expect(overall.pooled).toBeLessThan(overall.localOnly);
    expect(overall.localOnly).toBeLessThan(overall.federated);
  });

  it('is the same for the same seed', async () => {
    expect(await runBaselines(untrained)).toEqual(await runBaselines(untrained));
  });

  it('refuses sites without held-out batches', async () => {
    const dataset = buildDataset(plan, generateSite({ ...siteProfiles(1)[0]!, batches: 1 }, 1).batches);
    await expect(runBaselines({ ...untrained, sites: [{ id: 'alder', dataset }], rounds: 1 })).rejects.toThrow(/no held-out rows/);
  });
});
