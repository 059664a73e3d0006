import { mkdirSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '../bench.options.js';
import { type BenchReport, reportSchema } from './report.schema.js';

export const jsonOf = (report: BenchReport): string => `${JSON.stringify(report, null, 2)}\n`;

/** The file that a report is written to, again after every case, so that hours of measuring survive whatever ends the bench. */
export class ReportFile {
  readonly #path: string | undefined;
  #kept: BenchReport | undefined;

  /** @throws UsageError for a path that is something else than a file, before anything is measured */
  constructor(path: string | undefined) {
    this.#path = path === undefined ? undefined : writablePath(path);
  }

  /** What stood there is replaced as a whole: a reader, or a bench that is killed meanwhile, finds one valid report or the other. */
  keep(report: BenchReport): void {
    this.#kept = reportSchema.parse(report);
    if (this.#path === undefined) return;
    const draft = `${this.#path}.${process.pid}.draft`;
    writeFileSync(draft, jsonOf(this.#kept), { flush: true });
    renameSync(draft, this.#path);
  }

  /** The last report, whether or not there is a file. */
  get kept(): BenchReport | undefined {
    return this.#kept;
  }

  /** For people: where the report is, and how much of it. */
  get whereabouts(): string {
    if (this.#kept === undefined) return 'no case was measured to its end, so no report was written';
    const { unfinished } = this.#kept;
    const part = unfinished === undefined ? '' : `, unfinished: ${unfinished.casesMeasured} of ${unfinished.casesAsked} cases`;
    return this.#path === undefined ? `there was no --out FILE; this is the report${part}` : `the report is in ${this.#path}${part}`;
  }
}

function writablePath(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }
  // Renaming onto a device or a pipe would put a file in its place.
  if (!found.isFile()) throw new UsageError(`--out ${path} is not a file; for the standard output there is --json.`);
  // A link stays a link.
  return realpathSync(path);
}
