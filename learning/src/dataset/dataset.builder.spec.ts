import { decodeExact, featureNames, normalisationFromStatistics } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { toyBatch, toyBatches, toyPlan } from '../training/toy-problem.fixture.js';
import { predictionInputs } from '../windows/batch.rows.js';
import type { SiteBatch } from '../windows/site-batch.js';
import { buildDataset, columnSpreads } from './dataset.builder.js';
import { localStatistics } from './statistics.rule.js';

const noHoldout = { evaluation: { holdout: { batches: ['nothing'] } } };

describe('the rows of a batch', () => {
  it('hold the columns of the plan, by hand', () => {
    const plan = toyPlan(noHoldout);
    const { train } = buildDataset(plan, [toyBatch('A', 0)]);
    expect(featureNames(plan)).toEqual([
      'temperature.last',
      'temperature.mean',
      'temperature.slope',
      'oxygen_uptake_rate.last',
      'oxygen_uptake_rate.mean',
      'oxygen_uptake_rate.slope',
      'time_since_phase',
      'time_since_phase*temperature.last',
    ]);
    // Hour 4: window (2, 4] holds 2.5, 3, 3.5, 4 h.
    expect(train.timesH[2]).toBe(4);
    const expected = [30.4, 30.325, 0.1, 28, 26.5, 2, 2, 60.8];
    train.features.slice(2 * train.inputs, 3 * train.inputs).forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 4));
    expect(train.targets[2]).toBe(2);
    // Hour 5 has no sample: half way between those of hours 4 and 6.
    expect(train.targets[3]).toBe(3);
    expect(train.rows).toBe(9);
  });

  it('stand at the samples alone where the plan says so', () => {
    const plan = toyPlan({ ...noHoldout, sample: { ...sampleOf(toyPlan()), at: 'samples' } });
    expect([...buildDataset(plan, [toyBatch('A', 0)]).train.timesH]).toEqual([2, 4, 6, 8, 10]);
  });

  it('that cannot be built are counted with the reason', () => {
    const batch = toyBatch('A', 0);
    const late: SiteBatch = { ...batch, phaseStarts: { induction: 4 }, samples: batch.samples.slice(0, 4) };
    expect(buildDataset(toyPlan(noHoldout), [late]).dropped).toEqual([
      { reason: 'product_concentration was not measured around that time', count: 4 },
      { reason: 'before the phase induction', count: 2 },
      { reason: 'the window begins before the batch', count: 2 },
    ]);
    const blind: SiteBatch = { ...toyBatch('B', 0), series: { temperature: batch.series['temperature']! } };
    const dataset = buildDataset(toyPlan(noHoldout), [blind]);
    expect(dataset.batches).toEqual([{ id: 'B', part: 'unused', rows: 0 }]);
    expect(dataset.dropped).toContainEqual({ reason: 'the batch has no oxygen_uptake_rate', count: 9 });
  });

  it('for prediction need no target', () => {
    const inputs = predictionInputs(toyPlan(), { ...toyBatch('A', 0), samples: [] });
    expect(inputs.timesH).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe('the holdout', () => {
  it('never splits a batch, whatever the fraction', () => {
    for (const byBatch of [0.01, 0.1, 0.2, 0.5]) {
      const { train, holdout } = buildDataset(toyPlan({ evaluation: { holdout: { byBatch } } }), toyBatches(9));
      const kept = new Set(holdout.batchIds);
      expect(kept.size).toBe(Math.max(1, Math.round(9 * byBatch)));
      expect(train.batchIds.some((id) => kept.has(id))).toBe(false);
      expect(train.rows + holdout.rows).toBe(81);
    }
  });

  it('does not depend on the order of the batches, and leaves a single batch for training', () => {
    const ids = (batches: SiteBatch[]): string[] => [...new Set(buildDataset(toyPlan(), batches).holdout.batchIds)].toSorted();
    expect(ids(toyBatches(9).toReversed())).toEqual(ids(toyBatches(9)));
    expect(ids(toyBatches(1))).toEqual([]);
    expect(ids(toyBatches(2))).toHaveLength(1);
  });

  it('follows patterns, whose dots and brackets are plain characters', () => {
    const plan = toyPlan({ evaluation: { holdout: { batches: ['*_R4', 'B.[1]'] } } });
    const batches = [...toyBatches(5), toyBatch('B.[1]', 1), toyBatch('Bx1', 1)];
    expect([...new Set(buildDataset(plan, batches).holdout.batchIds)]).toEqual(['B4_R4', 'B.[1]']);
  });
});

describe('the manifest', () => {
  it('names the rows: equal for equal data, different for one changed bit or another plan', () => {
    const manifest = (batches: SiteBatch[], plan = toyPlan()): string => buildDataset(plan, batches).manifestDigest;
    expect(manifest(toyBatches(3))).toBe(manifest(toyBatches(3)));
    expect(manifest([...toyBatches(2), toyBatch('B3_R3', 2.001)])).not.toBe(manifest(toyBatches(3)));
    expect(manifest(toyBatches(3), toyPlan({ seed: 8 }))).not.toBe(manifest(toyBatches(3)));
  });
});

describe('records that would be misread', () => {
  const batch = toyBatch('A', 0);
  const series = (timeH: number[], value: number[]): SiteBatch => ({
    ...batch,
    series: { ...batch.series, temperature: { timeH: Float64Array.from(timeH), value: Float64Array.from(value) } },
  });
  it.each<[string, SiteBatch[], RegExp]>([
    ['an id twice', [batch, batch], /two batches have this id/],
    ['an empty id', [{ ...batch, id: '' }], /id is empty/],
    ['time that stands still', [series([0, 1, 1], [1, 2, 3])], /temperature goes from 1 h to 1 h at record 2/],
    ['a time that is no number', [series([0, NaN], [1, 2])], /time NaN at record 1/],
    ['a value that is no number', [series([0, 1], [1, Infinity])], /temperature is Infinity at 1 h/],
    ['unequal lengths', [series([0, 1], [1])], /2 times and 1 values/],
    ['samples out of order', [{ ...batch, samples: batch.samples.toReversed() }], /does not come after/],
    [
      'a sample value that is no number',
      [{ ...batch, samples: [{ timeH: 1, values: { product_concentration: NaN } }] }],
      /leave out what was not measured/,
    ],
    ['a phase at no time', [{ ...batch, phaseStarts: { induction: NaN } }], /phase induction starts at NaN/],
  ])('are refused: %s', (_, batches, message) => expect(() => buildDataset(toyPlan(), batches)).toThrow(message));
});

describe('the statistics of a site', () => {
  it('give back the mean and deviation of its rows', () => {
    const plan = toyPlan();
    const { train } = buildDataset(plan, toyBatches(6));
    const { count, mean, std, targetMean } = normalisationFromStatistics(plan, { exact: localStatistics(plan, train), addends: 1 });
    const column = Array.from({ length: train.rows }, (_, row) => train.features[row * train.inputs]!);
    const average = column.reduce((total, value) => total + value, 0) / train.rows;
    expect(count).toBe(train.rows);
    expect(mean[0]).toBeCloseTo(average, 5);
    expect(std[0]).toBeCloseTo(Math.sqrt(column.reduce((total, value) => total + (value - average) ** 2, 0) / train.rows), 3);
    expect(targetMean).toBeCloseTo(train.targets.reduce((total, value) => total + value, 0) / train.rows, 4);
  });

  it('clamp a value beyond the public range, and the check shows that it lies there', () => {
    const plan = toyPlan({ ...noHoldout, sample: { ...sampleOf(toyPlan()), ranges: { oxygen_uptake_rate: [0, 30] } } });
    const { train } = buildDataset(plan, [toyBatch('A', 0)]);
    const shares = decodeExact(plan, 'statistics', localStatistics(plan, train));
    expect(shares['sum:oxygen_uptake_rate.last']).toBeLessThan(train.rows);
    expect(columnSpreads(plan, train)[3]).toMatchObject({ name: 'oxygen_uptake_rate.last', low: 24, high: 40, planHigh: 30, outside: 5 });
  });

  it('of no rows are refused', () => {
    expect(() => localStatistics(toyPlan(), buildDataset(toyPlan(), []).train)).toThrow(/No training row/);
  });
});

function sampleOf(plan: ReturnType<typeof toyPlan>): Record<string, unknown> {
  return { ...plan.sample, every: '1 h', window: '2 h' };
}
