import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What one test file found, written into the folder of a run of `npm run test:faults`. Lists, so that parts can be merged by appending. */
export interface PartOfReport {
  /** Names the file; unique among the parts of one run, e.g. `matrix-coordinator` or `schedule-17`. */
  part: string;
  /** Stops that this part has to make, and those that it made. A point that is in `covered` of any part is covered. */
  points: { planned: string[]; covered: string[] };
  /** Seeds of the random schedules that were played to their end. */
  seeds: number[];
  /** What did not hold, each with the point or seed after which it was seen. */
  violations: string[];
  /** What runs came to, and over which sites: the same plan over the same sites gives the same model, whatever was stopped on the way. */
  models?: { history: string; model: string }[];
  /** For every stop: seconds from the new start to the next accepted step. */
  recoverySeconds: number[];
}

export interface FaultReport {
  points: { total: number; covered: number; uncovered: string[] };
  schedules: number;
  seeds: number[];
  violations: string[];
  /** Null when nothing was stopped. */
  recoverySeconds: { stops: number; median: number; worst: number } | null;
  parts: string[];
}

export const emptyPart = (part: string): PartOfReport => ({
  part,
  points: { planned: [], covered: [] },
  seeds: [],
  violations: [],
  recoverySeconds: [],
});

/** Merges what the parts found. Pure. @throws Error when two parts have one name, or when there is none: nothing tested is not nothing found. */
export function mergeParts(parts: readonly PartOfReport[]): FaultReport {
  if (parts.length === 0) throw new Error('No test wrote a part of the report, so nothing is known. Look at what the tests printed.');
  const names = parts.map(({ part }) => part);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`Two parts of the report are called "${twice}".`);
  const covered = new Set(parts.flatMap(({ points }) => points.covered));
  const violations = parts.flatMap((part) => part.violations.map((violation) => `${part.part}: ${violation}`));
  const points = new Set([...parts.flatMap(({ points: { planned } }) => planned), ...covered]);
  const seconds = parts.flatMap((part) => part.recoverySeconds).sort((a, b) => a - b);
  const seeds = parts.flatMap((part) => part.seeds).sort((a, b) => a - b);
  return {
    points: { total: points.size, covered: covered.size, uncovered: [...points].filter((point) => !covered.has(point)).sort() },
    schedules: seeds.length,
    seeds,
    violations: [...violations, ...differentModels(parts)],
    recoverySeconds: seconds.length === 0 ? null : { stops: seconds.length, median: medianOf(seconds), worst: seconds.at(-1)! },
    parts: names.sort(),
  };
}

function differentModels(parts: readonly PartOfReport[]): string[] {
  const models = new Map<string, Set<string>>();
  for (const { history, model } of parts.flatMap((part) => part.models ?? []))
    models.set(history, (models.get(history) ?? new Set()).add(model));
  return [...models].flatMap(([history, found]) =>
    found.size === 1 ? [] : [`${history} came to several models: ${[...found].join(', ')}`],
  );
}

/** @param sorted at least one number, in order */
function medianOf(sorted: readonly number[]): number {
  const upper = sorted[Math.floor(sorted.length / 2)]!;
  return sorted.length % 2 === 1 ? upper : (sorted[sorted.length / 2 - 1]! + upper) / 2;
}

/** A report stands for a good run only when everything was reached and everything held. */
export const isGood = (report: FaultReport): boolean => report.violations.length === 0 && report.points.uncovered.length === 0;

/** Written by a test file when it is through; without `npm run test:faults` around it, nowhere. */
export function writePart(part: PartOfReport, folder = process.env['FAULT_OUT']): void {
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${part.part}.json`), `${JSON.stringify(part, null, 2)}\n`);
}

/** @throws Error naming the file that is no part of a report */
export function readParts(folder: string): PartOfReport[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => {
      const part: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      if (!isPart(part)) throw new Error(`${join(folder, file)} is no part of a report.`);
      return part;
    });
}

function isPart(given: unknown): given is PartOfReport {
  const part = given as PartOfReport | null;
  const texts = (list: unknown) => Array.isArray(list) && list.every((entry) => typeof entry === 'string');
  const numbers = (list: unknown) => Array.isArray(list) && list.every((entry) => typeof entry === 'number' && Number.isFinite(entry));
  return (
    typeof part?.part === 'string' &&
    texts(part.points?.planned) &&
    texts(part.points.covered) &&
    numbers(part.seeds) &&
    texts(part.violations) &&
    numbers(part.recoverySeconds)
  );
}

export function textOf(report: FaultReport): string {
  const { points, schedules, violations, recoverySeconds } = report;
  const seconds = (value: number) => `${value.toFixed(2)} s`;
  return [
    `stops     ${points.covered} of ${points.total} points`,
    ...points.uncovered.map((point) => `  not reached: ${point}`),
    `schedules ${schedules}${schedules === 0 ? '' : ` (seeds ${report.seeds.join(', ')})`}`,
    recoverySeconds === null
      ? 'recovery  nothing was stopped'
      : `recovery  median ${seconds(recoverySeconds.median)}, worst ${seconds(recoverySeconds.worst)} (${recoverySeconds.stops} stops)`,
    `violated  ${violations.length === 0 ? 'nothing' : String(violations.length)}`,
    ...violations.map((violation) => `  ${violation}`),
  ].join('\n');
}
