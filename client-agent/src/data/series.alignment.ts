import type { Series } from '@coferment/learning';
import type { MappingSource } from './mapping.schema.js';

export type Alignment = NonNullable<MappingSource['align']>;

/** Without `holdFor`, a value bridges at most this many grid steps: a longer hole stays a hole instead of becoming a flat line. */
const STEPS_BRIDGED = 10;
/** Two times closer than this (3.6 µs) are one time: hours since a start are differences of binary fractions. */
const SAME_TIME_H = 1e-9;

/**
 * Puts a series on the grid k × every hours of the batch clock.
 * `last` carries the newest record, `linear` connects neighbours, both over holes up to holdFor; `mean` averages the records of the step that ends at the grid point.
 * The grid point just before the first record (at most one step earlier) takes that record, so that a logger that starts half a minute late costs no row.
 * @returns grid points that have a value; possibly fewer than the grid has
 */
export function alignSeries(series: Series, alignment: Alignment): Series {
  const { every, method } = alignment;
  const holdFor = alignment.holdFor ?? STEPS_BRIDGED * every;
  const count = series.timeH.length;
  const first = series.timeH[0];
  const last = series.timeH[count - 1];
  if (first === undefined || last === undefined) return series;
  const times: number[] = [];
  const values: number[] = [];
  let next = 0;
  for (let step = Math.floor((first + SAME_TIME_H) / every); step * every <= last + SAME_TIME_H; step++) {
    const at = step * every;
    const before = next;
    while (next < count && (series.timeH[next] ?? Infinity) <= at + SAME_TIME_H) next++;
    const value = next === 0 ? series.value[0] : valueAt(series, { at, before, next, holdFor, method });
    if (value === undefined) continue;
    times.push(at);
    values.push(value);
  }
  return { timeH: Float64Array.from(times), value: Float64Array.from(values) };
}

interface GridPoint {
  readonly at: number;
  /** Index of the first record after the previous grid point, and of the first after this one. */
  readonly before: number;
  readonly next: number;
  readonly holdFor: number;
  readonly method: Alignment['method'];
}

function valueAt({ timeH, value }: Series, { at, before, next, holdFor, method }: GridPoint): number | undefined {
  const leftTime = timeH[next - 1] ?? -Infinity;
  const left = value[next - 1];
  switch (method) {
    case 'last':
      return at - leftTime <= holdFor + SAME_TIME_H ? left : undefined;
    case 'mean': {
      if (next === before) return undefined;
      let sum = 0;
      for (let index = before; index < next; index++) sum += value[index] ?? 0;
      return sum / (next - before);
    }
    case 'linear': {
      if (at - leftTime <= SAME_TIME_H) return left;
      const rightTime = timeH[next];
      const right = value[next];
      if (left === undefined || rightTime === undefined || right === undefined || rightTime - leftTime > holdFor + SAME_TIME_H)
        return undefined;
      return left + ((right - left) * (at - leftTime)) / (rightTime - leftTime);
    }
  }
}
