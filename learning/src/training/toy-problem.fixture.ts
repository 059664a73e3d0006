import { parsePlan, type Plan } from '@coferment/consortium';
import type { SiteBatch } from '../windows/site-batch.js';

/** A plan small enough to follow by hand: temperature and oxygen uptake over two hours, once an hour. */
export function toyPlan(changes: Record<string, unknown> = {}): Plan {
  return parsePlan({
    schema: 1,
    plan: 'toy',
    sample: {
      every: '1 h',
      window: '2 h',
      of: ['temperature', 'oxygen_uptake_rate'],
      summarise: ['last', 'mean', 'slope'],
      phase: 'induction',
    },
    target: { variable: 'product_concentration' },
    features: ['time_since_phase', { product: ['time_since_phase', 'temperature'] }],
    model: { kind: 'mlp', hidden: [8], activation: 'relu' },
    training: { epochs: 3, batchSize: 8, learningRate: 0.01 },
    seed: 7,
    ...changes,
  });
}

/** Ten hours, a record every half hour; product grows with the oxygen that was taken up since induction at hour 2. */
export function toyBatch(id: string, level: number): SiteBatch {
  const timeH = Float64Array.from({ length: 21 }, (_, index) => index / 2);
  return {
    id,
    scale: 'bench',
    phaseStarts: { induction: 2 },
    series: {
      temperature: { timeH, value: timeH.map((hour) => 30 + 0.2 * level + 0.1 * hour) },
      oxygen_uptake_rate: { timeH, value: timeH.map((hour) => 20 + 5 * level + 2 * hour) },
    },
    samples: Array.from({ length: 6 }, (_, index) => ({
      timeH: 2 * index,
      values: { product_concentration: Math.max(0, 2 * index - 2) * (1 + 0.2 * level) },
    })),
  };
}

export function toyBatches(count: number): SiteBatch[] {
  return Array.from({ length: count }, (_, index) => toyBatch(`B${index + 1}_R${(index % 4) + 1}`, index % 5));
}
