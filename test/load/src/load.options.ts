import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface LoadOptions {
  agents: number;
  rounds: number;
  /** Share of the agents that drop in each round, 0 to 0.4: the fewest contributors of the plan are the others. */
  drop: number;
  seed: number;
  /** Where the report is written. */
  out?: string;
  /** Folder in which Node writes a CPU profile of the coordinator. */
  profile?: string;
}

export type LoadOrder =
  | { kind: 'help' }
  | { kind: 'measure'; options: LoadOptions }
  | { kind: 'document'; report: string; document: string };

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const HELP = `A consortium of many light agents under load, against a real coordinator process.

  npm run load -- [--agents N] [--rounds N] [--drop SHARE] [--seed N] [--out FILE] [--profile DIR]
  npm run load -- --document FILE

  --agents N      sites, 7 to 200 (default: 100)
  --rounds N      training rounds, 1 to 1000 (default: 20)
  --drop SHARE    share of the agents that drop in each round, 0 to 0.4 (default: 0.1)
  --seed N        decides who drops, and how (default: 1); printed and in the report
  --out FILE      writes the report as JSON
  --profile DIR   lets Node write a CPU profile of the coordinator there
  --document FILE writes the tables of docs/performance.md from a report

With DATABASE_URL the coordinator keeps its tables in that PostgreSQL database, which must be empty; without it in the embedded one.

Example:
  npm run load -- --agents 100 --rounds 20 --drop 0.1 --seed 1 --out docs/performance-load.json
`;

/** @param folder that relative paths start from. @throws UsageError */
export function readOrder(words: readonly string[], folder: string): LoadOrder {
  const values = parse(words);
  if (values.help === true) return { kind: 'help' };
  if (values.document !== undefined)
    return { kind: 'document', report: resolve(folder, values.document), document: resolve(folder, 'docs/performance.md') };
  const options: LoadOptions = {
    agents: whole('--agents', values.agents, 7, 200),
    rounds: whole('--rounds', values.rounds, 1, 1000),
    drop: share(values.drop),
    seed: whole('--seed', values.seed, 0, 2 ** 31),
    ...(values.out === undefined ? {} : { out: resolve(folder, values.out) }),
    ...(values.profile === undefined ? {} : { profile: resolve(folder, values.profile) }),
  };
  return { kind: 'measure', options };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        help: { type: 'boolean' },
        agents: { type: 'string', default: '100' },
        rounds: { type: 'string', default: '20' },
        drop: { type: 'string', default: '0.1' },
        seed: { type: 'string', default: '1' },
        out: { type: 'string' },
        profile: { type: 'string' },
        document: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function whole(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < low || value > high)
    throw new UsageError(`${name} must be a whole number from ${low} to ${high}, not "${text}".`);
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 0.4)) throw new UsageError(`--drop must be a number from 0 to 0.4, not "${text}".`);
  return value;
}
