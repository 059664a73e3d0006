import { ConsortiumError } from '../errors/index.js';
import { hours } from './duration.value.js';
import { type Plan, suggestion } from './plan.schema.js';
import { findVariable } from './variables.js';

/** How one input column of the model comes about. Columns are in the model's order; `factors` are indices of earlier columns. */
export type FeatureColumn =
  | { readonly kind: 'window'; readonly name: string; readonly variable: string; readonly summary: 'last' | 'mean' | 'slope' }
  | { readonly kind: 'time-since-phase'; readonly name: string }
  | { readonly kind: 'product'; readonly name: string; readonly factors: readonly [number, number] };

/** A public interval in which a column is clamped for the statistics sum, in the column's own unit. */
export interface FeatureRange {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

/** Longest cultivation that time_since_phase tells apart, in hours: six weeks. */
const LONGEST_PHASE_H = 1000;

/**
 * Window columns first (variables in the plan's order, for each its summaries in the plan's order), then the derived columns in the plan's order.
 * A product names a derived column, a window column (`temperature.mean`), or a variable, which means its value now (`temperature.last`).
 * @throws ConsortiumError 'invalid-plan' when a product names no earlier column or a column appears twice.
 */
export function featureColumns(plan: Pick<Plan, 'sample' | 'features'>): FeatureColumn[] {
  const columns: FeatureColumn[] = [];
  const indexOf = new Map<string, number>();
  const add = (column: FeatureColumn) => {
    if (indexOf.has(column.name))
      throw new ConsortiumError('invalid-plan', `features: the column "${column.name}" appears twice; keep one of them`);
    indexOf.set(column.name, columns.length);
    columns.push(column);
  };
  for (const variable of plan.sample.of) {
    for (const summary of plan.sample.summarise) add({ kind: 'window', name: `${variable}.${summary}`, variable, summary });
  }
  for (const feature of plan.features) {
    if (feature === 'time_since_phase') {
      add({ kind: 'time-since-phase', name: feature });
      continue;
    }
    const find = (factor: string): number => {
      const index = indexOf.get(factor) ?? indexOf.get(`${factor}.last`);
      if (index !== undefined) return index;
      const hint = suggestion(factor, [...indexOf.keys()]);
      throw new ConsortiumError(
        'invalid-plan',
        `features: the product [${feature.product.join(', ')}] names "${factor}", which is no column before it; ${hint}`,
      );
    };
    const factors = [find(feature.product[0]), find(feature.product[1])] as const;
    add({ kind: 'product', name: `${columns[factors[0]]!.name}*${columns[factors[1]]!.name}`, factors });
  }
  return columns;
}

/** Names of the model's input columns in their order. */
export function featureNames(plan: Plan): string[] {
  return featureColumns(plan).map((column) => column.name);
}

/** The valid range of a variable in this plan: the plan's own where it gives one, else the standard's. */
export function variableRange(plan: Plan, name: string): FeatureRange {
  const own = plan.sample.ranges[name];
  if (own) return { name, low: own[0], high: own[1] };
  const standard = findVariable(name);
  if (!standard) throw new ConsortiumError('invalid-plan', `"${name}" is not a variable of the standard`);
  return { name, low: standard.low, high: standard.high };
}

function productInterval(a: FeatureRange, b: FeatureRange, square: boolean): { low: number; high: number } {
  const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
  const low = square ? (a.low <= 0 && a.high >= 0 ? 0 : Math.min(a.low * a.low, a.high * a.high)) : Math.min(...corners);
  return { low, high: Math.max(...corners) };
}

/** Public ranges of the input columns, in their order. Slopes are per hour; time_since_phase is in hours. */
export function featureRanges(plan: Plan): FeatureRange[] {
  const ranges: FeatureRange[] = [];
  for (const column of featureColumns(plan)) {
    const { name } = column;
    switch (column.kind) {
      case 'window': {
        const { low, high } = variableRange(plan, column.variable);
        const steepest = (high - low) / hours(plan.sample.window);
        ranges.push(column.summary === 'slope' ? { name, low: -steepest, high: steepest } : { name, low, high });
        break;
      }
      case 'time-since-phase': {
        const own = plan.sample.ranges[name];
        ranges.push({ name, low: own?.[0] ?? 0, high: own?.[1] ?? LONGEST_PHASE_H });
        break;
      }
      case 'product': {
        const [a, b] = column.factors;
        ranges.push({ name, ...productInterval(ranges[a]!, ranges[b]!, a === b) });
        break;
      }
    }
  }
  return ranges;
}

/** Public range of the target, in its unit. */
export function targetRange(plan: Plan): FeatureRange {
  return variableRange(plan, plan.target.variable);
}
