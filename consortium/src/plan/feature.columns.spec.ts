import { describe, expect, it } from 'vitest';
import { featureColumns, featureNames, featureRanges, parsePlan, targetRange, VARIABLES } from './index.js';

const plan = (extra: object = {}, features: unknown[] = []) =>
  parsePlan({
    schema: 1,
    plan: 'p',
    sample: { of: ['temperature', 'ph'], window: '4 h', ...extra },
    target: { variable: 'product_concentration' },
    features,
    model: { kind: 'linear' },
  });

describe('input columns', () => {
  it('are windows by variable and summary, then the derived columns', () => {
    expect(featureNames(plan({ summarise: ['slope', 'last'] }, ['time_since_phase', { product: ['time_since_phase', 'ph'] }]))).toEqual([
      'temperature.slope',
      'temperature.last',
      'ph.slope',
      'ph.last',
      'time_since_phase',
      'time_since_phase*ph.last',
    ]);
  });

  it('may be squares, and products of a summary', () => {
    const columns = featureColumns(plan({}, [{ product: ['temperature.mean', 'temperature.mean'] }]));
    expect(columns.at(-1)).toEqual({ kind: 'product', name: 'temperature.mean*temperature.mean', factors: [1, 1] });
  });

  it('refuse a variable as a factor when its value now is no column', () => {
    expect(() => plan({ summarise: ['mean'] }, [{ product: ['ph', 'ph'] }])).toThrow(/names "ph".*ph\.mean/);
  });
});

describe('public ranges', () => {
  it('follow the standard, the window and interval arithmetic', () => {
    const ranges = featureRanges(
      plan({ ranges: { temperature: [-10, 30], time_since_phase: [0, 50] } }, [
        'time_since_phase',
        { product: ['time_since_phase', 'temperature'] },
        { product: ['temperature', 'temperature'] },
      ]),
    );
    expect(ranges).toEqual([
      { name: 'temperature.last', low: -10, high: 30 },
      { name: 'temperature.mean', low: -10, high: 30 },
      { name: 'temperature.slope', low: -10, high: 10 },
      { name: 'ph.last', low: 0, high: 14 },
      { name: 'ph.mean', low: 0, high: 14 },
      { name: 'ph.slope', low: -3.5, high: 3.5 },
      { name: 'time_since_phase', low: 0, high: 50 },
      { name: 'time_since_phase*temperature.last', low: -500, high: 1500 },
      { name: 'temperature.last*temperature.last', low: 0, high: 900 },
    ]);
  });

  it('give the square of an all-negative column its own lower end', () => {
    const ranges = featureRanges(plan({ ranges: { ph: [-3, -2] } }, [{ product: ['ph', 'ph'] }]));
    expect(ranges.at(-1)).toMatchObject({ low: 4, high: 9 });
  });

  it('of the target follow the plan, else the standard', () => {
    expect(targetRange(plan())).toEqual({ name: 'product_concentration', low: 0, high: 300 });
    expect(targetRange(plan({ ranges: { product_concentration: [0, 20] } }))).toMatchObject({ high: 20 });
  });
});

describe('the standard', () => {
  it('names every variable once, with a range that is not empty', () => {
    expect(new Set(VARIABLES.map((variable) => variable.name)).size).toBe(VARIABLES.length);
    expect(VARIABLES.every((variable) => variable.low < variable.high)).toBe(true);
  });
});
