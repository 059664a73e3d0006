import type { OfflineSample } from '@coferment/learning';
import { DataError } from './data.error.js';

/** One laboratory row on the batch clock. */
export interface SampleRow {
  readonly source: string;
  readonly file: string;
  readonly line: number;
  readonly timeH: number;
  /** Farthest another source's row may be to belong to the same sample, in hours. */
  readonly toleranceH: number;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Joins what several laboratories (or sheets) measured of one sample. Rows of the same source are never joined: they are different samples.
 * The sample keeps the time of its earliest row.
 * @throws DataError 'conflicting-rows' when two sources give one quantity different values
 */
export function joinSamples(rows: readonly SampleRow[]): OfflineSample[] {
  const groups: SampleRow[][] = [];
  for (const row of rows.toSorted((a, b) => a.timeH - b.timeH)) {
    const group = groups.findLast((candidate) => belongs(candidate, row));
    if (group === undefined) groups.push([row]);
    else group.push(row);
  }
  return groups.map((group) => {
    const values: Record<string, number> = {};
    for (const row of group) {
      for (const [variable, value] of Object.entries(row.values)) {
        const known = values[variable];
        if (known !== undefined && known !== value) {
          const { file, line } = row;
          throw new DataError(
            'conflicting-rows',
            `another source gives this sample's ${variable} as ${known}, this row as ${value}. Map the variable in one of them.`,
            { file, line },
          );
        }
        values[variable] = value;
      }
    }
    return { timeH: group[0]?.timeH ?? 0, values };
  });
}

function belongs(group: readonly SampleRow[], row: SampleRow): boolean {
  return group.every((member) => member.source !== row.source && row.timeH - member.timeH <= Math.min(member.toleranceH, row.toleranceH));
}
