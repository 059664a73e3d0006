import { parsePlan } from '@coferment/consortium';
import type { SiteBatch } from '@coferment/learning';
import { describe, expect, it } from 'vitest';
import { renderCheck } from './check.text.js';
import type { DataReport } from './data.report.js';
import { checkData } from './plan.check.js';

const plan = (extra: object = {}) =>
  parsePlan({
    schema: 1,
    plan: 'soft-sensor',
    sample: { at: 'samples', window: '1 h', of: ['temperature'], summarise: ['last'], ranges: { temperature: [20, 40] } },
    target: { variable: 'product_concentration' },
    model: { kind: 'linear' },
    evaluation: { holdout: { batches: ['*_R2'] } },
    ...extra,
  });
const batch = (id: string, temperatures = [30, 31, 45]): SiteBatch => ({
  id,
  scale: 'bench',
  phaseStarts: {},
  series: { temperature: { timeH: Float64Array.of(0, 1, 2), value: Float64Array.from(temperatures) } },
  samples: [0, 1, 2].map((timeH) => ({ timeH, values: { product_concentration: timeH } })),
});
const report: DataReport = {
  schema: 1,
  site: 'site-a',
  scale: 'bench',
  files: [],
  batches: [],
  flags: [
    { kind: 'gap', batch: 'B_R1', variable: 'temperature', count: 1, text: 'a pause' },
    { kind: 'gap', batch: 'B_R1', variable: 'ph', count: 1, text: 'a pause that this plan does not see' },
  ],
};
const leaves = [{ name: 'encrypted update', bytes: 98_304, times: 20 }];

describe('the check of a plan against a site’s data', () => {
  it('shows the rows, what was left out and why, the ranges, and what would leave', () => {
    const check = checkData({ plan: plan(), batches: [batch('B_R1'), batch('B_R2')], report, leaves });
    expect(check).toMatchObject({ trainRows: 2, holdoutRows: 2, leaves });
    expect(check.batches).toEqual([
      { id: 'B_R1', part: 'train', rows: 2 },
      { id: 'B_R2', part: 'holdout', rows: 2 },
    ]);
    expect(check.dropped).toEqual([{ reason: 'the window begins before the batch', count: 2 }]);
    expect(check.columns).toMatchObject([
      { name: 'temperature.last', low: 31, high: 45, planLow: 20, planHigh: 40, outside: 1 },
      { name: 'product_concentration', low: 1, high: 2, outside: 0 },
    ]);
    expect(check.flags).toHaveLength(1);
    expect(check.problems.map(({ kind }) => kind)).toEqual(['outside-plan-range']);
    const text = renderCheck(check);
    expect(text).toContain('Rows: 2 to train on, 2 held out');
    expect(text).toContain('encrypted update: 20 × 98,304 bytes');
    expect(text).toMatch(/temperature\.last: 1 value lies outside the plan's range 20 to 40/);
  });

  it('names what the plan needs and the site has not', () => {
    const other = plan({ sample: { at: 'samples', window: '1 h', of: ['ph'], summarise: ['last'] } });
    const { problems, columns } = checkData({ plan: other, batches: [batch('B_R1')], report, leaves });
    expect(problems.map(({ kind }) => kind)).toEqual(['variable-not-mapped', 'no-training-rows']);
    expect(problems[0]?.text).toMatch(/needs ph as an online series/);
    expect(columns).toEqual([]);
  });

  it('says when no batch is held out', () => {
    const { problems } = checkData({ plan: plan(), batches: [batch('B_R1', [30, 30, 30])], report, leaves });
    expect(problems.map(({ kind }) => kind)).toEqual(['no-holdout']);
  });
});
