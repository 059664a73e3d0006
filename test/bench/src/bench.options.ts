import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type BenchCase, CASES, type Extent } from './case.choice.js';
import type { LedgerBenchOptions } from './ledger/ledger.bench.js';

export interface BenchOptions {
  extent: Extent | 'chosen';
  cases: readonly BenchCase[];
  /** Timed runs of each phase, after one that is not counted. */
  runs: number;
  json: boolean;
  out: string | undefined;
  folder: string;
}

export type BenchOrder =
  | { kind: 'help' }
  | { kind: 'document'; report: string; document: string }
  | { kind: 'ledger'; options: LedgerBenchOptions }
  | { kind: 'measure'; options: BenchOptions };

/** Arguments that cannot be used; the message says which and what is possible. */
export class UsageError extends Error {}

export const HELP = `Times encrypted rounds against plaintext ones, and what they are made of, on this machine.

Usage: npm run bench -- [options]

  --quick           four cases, for a first look (under three minutes)
  --full            all cases with the largest, 100 sites × 10⁷ parameters (about a quarter of an hour)
  --case PxNxM      only this case: parameters × sites × key holders; may be given several times
  --runs NUMBER     timed runs of each phase after one warm-up (default 3); rounds of more than 10⁸ values
                    (parameters × sites) are received and opened once, without a warm-up
  --out FILE        write the report as JSON, anew after every case: an interrupted run leaves the cases it measured
  --json            print the report as JSON instead of tables
  --folder DIR      where uploads are stored while they are measured (default: the system's temporary folder); nothing stays there
  --ledger          measure the ledger instead: appending, proofs and a full verification of 10⁵ entries, with --quick of 10⁴, with
                    --full of 10⁵ and 10⁶ (which takes ten to fifteen minutes and 4 GB of disk while it runs)
  --document FILE   measure nothing: write the figures of a report into docs/performance.md
  --into DOCUMENT   another document for --document
  --help            this text

Without --quick or --full: fifteen cases up to 10⁶ parameters and 100 sites, six to ten minutes. Progress goes to the standard error.
The figures are medians of single processes that work one after the other; run it on a machine that does nothing else.

Examples:
  npm run bench -- --quick --out bench.json
  npm run bench -- --case 1000000x10x5 --runs 7
  npm run bench -- --ledger --full --out ledger.json
  npm run bench -- --full --out docs/performance.json && npm run bench -- --document docs/performance.json
`;

const LEDGER_ENTRIES: Readonly<Record<Extent, readonly number[]>> = { quick: [1e4], default: [1e5], full: [1e5, 1e6] };

const MOST = { parameters: 1e8, sites: 128, keyHolders: 12, runs: 100 } as const;

/** @param base folder that relative paths start from. @throws UsageError */
export function readOrder(args: readonly string[], base: string): BenchOrder {
  const values = parse(args);
  if (values.help === true) return { kind: 'help' };
  if (values.document !== undefined) {
    return { kind: 'document', report: resolve(base, values.document), document: resolve(base, values.into ?? 'docs/performance.md') };
  }
  if (values.quick === true && values.full === true) throw new UsageError('--quick and --full exclude each other.');
  const chosen = (values.case ?? []).map(readCase);
  const extent = chosen.length > 0 ? 'chosen' : values.quick === true ? 'quick' : values.full === true ? 'full' : 'default';
  const places = {
    json: values.json ?? false,
    out: values.out === undefined ? undefined : resolve(base, values.out),
    folder: values.folder === undefined ? tmpdir() : resolve(base, values.folder),
  };
  if (values.ledger === true) {
    if (extent === 'chosen') throw new UsageError('--ledger has no --case; choose among --quick, --full and neither.');
    return { kind: 'ledger', options: { entries: LEDGER_ENTRIES[extent], ...places } };
  }
  return {
    kind: 'measure',
    options: {
      extent,
      cases: extent === 'chosen' ? chosen : CASES[extent],
      runs: readCount('--runs', values.runs ?? '3', MOST.runs),
      ...places,
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        full: { type: 'boolean' },
        case: { type: 'string', multiple: true },
        runs: { type: 'string' },
        out: { type: 'string' },
        json: { type: 'boolean' },
        folder: { type: 'string' },
        ledger: { type: 'boolean' },
        document: { type: 'string' },
        into: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readCase(text: string): BenchCase {
  const match = /^(\d+)x(\d+)x(\d+)$/.exec(text);
  if (match === null) throw new UsageError(`--case ${text}: give parameters, sites and key holders as in 1000000x10x5.`);
  const [parameters, sites, keyHolders] = match.slice(1) as [string, string, string];
  const found = {
    parameters: readCount('The parameters of --case', parameters, MOST.parameters),
    sites: readCount('The sites of --case', sites, MOST.sites),
    keyHolders: readCount('The key holders of --case', keyHolders, MOST.keyHolders),
  };
  if (found.sites < 3 || found.keyHolders < 2 || found.keyHolders > found.sites)
    throw new UsageError(`--case ${text}: a consortium has at least 3 sites, and 2 or more of them are key holders.`);
  return found;
}

function readCount(what: string, text: string, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new UsageError(`${what} is ${text}; it must be a whole number from 1 to ${most}.`);
  return value;
}
