import type { Series } from './site-batch.js';

export type Summary = 'last' | 'mean' | 'slope';

/** Records of a series in (endH − windowH, endH], as a range of indices. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Two clocks that mean the same instant may differ by rounding: a thousandth of a second is the same instant. */
const SAME_INSTANT_H = 1 / 3_600_000;

/** Number of records at or before a time. */
function countUntil(timeH: Float64Array, untilH: number): number {
  let low = 0;
  let high = timeH.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timeH[middle]! <= untilH + SAME_INSTANT_H) low = middle + 1;
    else high = middle;
  }
  return low;
}

function spanOf(series: Series, endH: number, windowH: number): Span {
  return { from: countUntil(series.timeH, endH - windowH), to: countUntil(series.timeH, endH) };
}

/**
 * One number for the window that ends at `endH`: the `last` record, the `mean` of the records, or the `slope` per hour of the least-squares line
 * through them. Undefined when the window holds no record (for a slope: fewer than two).
 */
export function summarise(series: Series, endH: number, windowH: number, summary: Summary): number | undefined {
  const { from, to } = spanOf(series, endH, windowH);
  const count = to - from;
  if (count < (summary === 'slope' ? 2 : 1)) return undefined;
  switch (summary) {
    case 'last':
      return series.value[to - 1];
    case 'mean':
      return mean(series.value, from, to);
    case 'slope':
      return slope(series, from, to);
  }
}

function mean(values: Float64Array, from: number, to: number): number {
  let total = 0;
  for (let index = from; index < to; index++) total += values[index]!;
  return total / (to - from);
}

function slope({ timeH, value }: Series, from: number, to: number): number {
  const meanTime = mean(timeH, from, to);
  const meanValue = mean(value, from, to);
  let covariance = 0;
  let variance = 0;
  for (let index = from; index < to; index++) {
    const distance = timeH[index]! - meanTime;
    covariance += distance * (value[index]! - meanValue);
    variance += distance * distance;
  }
  return covariance / variance;
}

/** The value at a time on the straight line between the two neighbouring records; undefined outside the recorded span. */
export function interpolate({ timeH, value }: Series, atH: number): number | undefined {
  const after = countUntil(timeH, atH);
  if (after === 0) return undefined;
  const left = after - 1;
  if (Math.abs(timeH[left]! - atH) <= SAME_INSTANT_H) return value[left];
  if (after === timeH.length) return undefined;
  const share = (atH - timeH[left]!) / (timeH[after]! - timeH[left]!);
  return value[left]! + share * (value[after]! - value[left]!);
}
