import { digest } from '@coferment/crypto';
import type { SiteBatch } from '@coferment/learning';

/** Names all that training can see of a site's records: batches, series, samples and phases, to the last bit. */
export function recordsDigest(batches: readonly SiteBatch[]): string {
  return digest(
    'site-records',
    batches.map(({ id, scale, phaseStarts, series, samples }) => [
      id,
      scale,
      numbersByName(phaseStarts),
      Object.entries(series)
        .toSorted(byName)
        .map(([variable, { timeH, value }]) => [variable, bytesOf(timeH), bytesOf(value)]),
      samples.map(({ timeH, values }) => [bytesOf(Float64Array.of(timeH)), numbersByName(values)]),
    ]),
  );
}

function numbersByName(numbers: Readonly<Record<string, number>>): (readonly [string, Uint8Array])[] {
  return Object.entries(numbers)
    .toSorted(byName)
    .map(([name, value]) => [name, bytesOf(Float64Array.of(value))] as const);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
