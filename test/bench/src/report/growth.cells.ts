import { seconds, sizeOf } from './report.cells.js';
import type { BenchReport, CaseReport } from './report.schema.js';
import type { Cells } from './text.table.js';

type Axis = 'parameters' | 'sites';

/** The longest row of cases that differ in one number only, smallest first. Holders follow the number of sites, so they may differ along it. */
function rowAlong(cases: readonly CaseReport[], axis: Axis): CaseReport[] {
  const key = ({ parameters, sites, keyHolders }: CaseReport): string =>
    axis === 'parameters' ? `${sites} ${keyHolders}` : `${parameters}`;
  const rows = new Map<string, CaseReport[]>();
  for (const of of cases) rows.set(key(of), [...(rows.get(key(of)) ?? []), of]);
  const longest = [...rows.values()].reduce((a, b) => (b.length > a.length ? b : a));
  return longest.toSorted((a, b) => a[axis] - b[axis] || a.keyHolders - b.keyHolders);
}

/** What each party needs along one axis: a site, the coordinator, a holder, and the peak of the coordinator's memory. */
export function growthCells({ cases }: BenchReport, axis: Axis): Cells {
  return [
    ['parameters', 'sites', '(m, τ)', 'a site', 'a holder', 'coordinator', 'encrypted', 'plaintext', 'µs a parameter', 'peak − idle MB'],
    ...rowAlong(cases, axis).map((of) => [
      sizeOf(of),
      String(of.sites),
      `${of.keyHolders}, ${of.threshold}`,
      seconds(of.parties.siteMs),
      seconds(of.parties.holderMs),
      seconds(of.parties.coordinatorMs),
      seconds(of.encryptedMs),
      seconds(of.plaintextMs),
      ((1000 * of.encryptedMs) / of.parameters).toFixed(2),
      (of.coordinatorPeakMemoryMB - of.coordinatorIdleMemoryMB).toFixed(0),
    ]),
  ];
}
