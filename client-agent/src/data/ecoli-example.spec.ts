import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parsePlan, quorumNumbers } from '@coferment/consortium';
import { buildDataset } from '@coferment/learning';
import { describe, expect, it } from 'vitest';
import { importSite } from './site.importer.js';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const dataDir = fileURLToPath(new URL('../shared/data/ecoli-proteinl', `file://${repository}`));
const present = existsSync(dataDir);
const plan = parsePlan(readFileSync(`${repository}examples/ecoli-proteinl/plan.yaml`, 'utf8'));

// The data are not redistributed with Coferment; see examples/ecoli-proteinl/README.md for where they come from.
describe.skipIf(!present)(`the E. coli example${present ? '' : ` (skipped: no data in ${dataDir})`}`, () => {
  it.each([
    ['doe1', 'DoE1'],
    ['doe2', 'DoE2'],
    ['doe3', 'DoE3'],
  ])('imports silo %s: four runs of seven samples in physical ranges', async (site, prefix) => {
    const { batches, report } = await importSite({ mappingFile: `${repository}examples/ecoli-proteinl/${site}.mapping.yaml`, dataDir });
    expect(batches.map(({ id }) => id)).toEqual(['R1', 'R2', 'R3', 'R4'].map((reactor) => `${prefix}_${reactor}`));
    expect(batches.map(({ samples }) => samples.length)).toEqual([7, 7, 7, 7]);
    const range = (variable: string) => {
      const found = report.batches.flatMap(({ variables }) => variables.filter((summary) => summary.variable === variable));
      return { low: Math.min(...found.map(({ low = NaN }) => low)), high: Math.max(...found.map(({ high = NaN }) => high)) };
    };
    // Recorded in kelvin: a conversion that went wrong lands far outside the temperatures at which E. coli grows.
    expect(range('temperature').low).toBeGreaterThan(25);
    expect(range('temperature').high).toBeLessThan(45);
    expect(range('product_concentration').low).toBe(0);
    expect(range('product_concentration').high).toBeGreaterThan(5);
    expect(range('product_concentration').high).toBeLessThan(10);
    expect(report.flags).toEqual([]);
    const { train, holdout, dropped } = buildDataset(plan, batches);
    expect([train.rows, holdout.rows, dropped]).toEqual([21, 7, []]);
    for (const { id, phaseStarts, series, samples } of batches) {
      expect(phaseStarts).toEqual({ induction: 24 });
      for (const { timeH } of Object.values(series)) {
        expect(timeH[0], id).toBe(24);
        expect(timeH.at(-1), id).toBeGreaterThan((samples.at(-1)?.timeH ?? 0) - 1 / 60);
      }
    }
  });
});

describe('the plan of the E. coli example', () => {
  it('has a quorum that three sites can form', () => {
    const { keyHolders, threshold, collusionBound } = plan.privacy;
    expect(
      quorumNumbers({
        n: 3,
        c: collusionBound ?? 0,
        m: keyHolders ?? 0,
        tau: threshold ?? 0,
        minContributors: plan.quorum.minContributors ?? 0,
      }),
    ).toBeDefined();
  });
});
