import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';

export const FAULTS = ['none', 'drop-site', 'kill-coordinator'] as const;
export type FaultName = (typeof FAULTS)[number];

export interface DemoOptions {
  readonly out: string;
  /** Undefined: as the plan of the consortium file says. */
  readonly rounds: number | undefined;
  readonly sites: number;
  readonly seed: number;
  readonly consortium: { readonly file: string; readonly data: string } | undefined;
  readonly fault: FaultName;
  readonly json: boolean;
}

const DEFAULTS = { rounds: 10, sites: 5, seed: 1 };

const EXAMPLES = `
Examples:
  npm run demo
  npm run demo -- --sites 4 --rounds 6 --fault drop-site
  npm run demo -- --consortium examples/ecoli-proteinl/consortium.yaml --data ../shared/data/ecoli-proteinl
`;

/** Reads the command line. Mistakes in it end the process with exit code 2 and say which option is wrong. */
export function readOptions(argv: readonly string[], now: Date, workingFolder: string): DemoOptions {
  const command = new Command('coferment-demo')
    .description('Trains one model on several sites, each a process of its own, and lets an auditor verify the ledger.')
    .option('--out <folder>', 'folder for everything the demo writes, new or empty (default: demo-out/<time>)')
    .option('--rounds <n>', `training rounds (default: ${DEFAULTS.rounds}, or as the consortium's plan says)`, whole(1, 1000))
    .option('--sites <n>', `virtual sites, 3 to 12 (default: ${DEFAULTS.sites})`, whole(3, 12))
    .option(
      '--seed <n>',
      'seed of the virtual fermenters and of training; keys and nonces stay random',
      whole(0, 2 ** 31 - 1),
      DEFAULTS.seed,
    )
    .option('--consortium <file>', 'train on the sites of this consortium file instead of virtual ones; needs --data')
    .option('--data <folder>', "folder that the consortium's mapping files refer to")
    .addOption(new Option('--fault <what>', 'what goes wrong on the way').choices(FAULTS).default('none'))
    .option('--json', 'print the summary as JSON on standard output, progress on standard error', false)
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments(false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  command.parse([...argv], { from: 'user' });
  const given = command.opts<{
    out?: string;
    rounds?: number;
    sites?: number;
    seed: number;
    consortium?: string;
    data?: string;
    fault: FaultName;
    json: boolean;
  }>();
  const { consortium, data } = given;
  if (consortium !== undefined && data === undefined) command.error("--consortium needs --data, the folder with the sites' records");
  if (data !== undefined && consortium === undefined) command.error('--data goes with --consortium; virtual sites make their own records');
  if (consortium !== undefined && given.sites !== undefined)
    command.error('--sites goes with virtual sites; the consortium file lists its own');
  return {
    out: resolve(workingFolder, given.out ?? join('demo-out', timeName(now))),
    rounds: given.rounds ?? (consortium === undefined ? DEFAULTS.rounds : undefined),
    sites: given.sites ?? DEFAULTS.sites,
    seed: given.seed,
    consortium:
      consortium === undefined || data === undefined
        ? undefined
        : { file: resolve(workingFolder, consortium), data: resolve(workingFolder, data) },
    fault: given.fault,
    json: given.json,
  };
}

function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high)
      throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
    return value;
  };
}

/** 2026-03-01T12-30-05: sorts by time and is a legal folder name everywhere. */
function timeName(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(':', '-');
}
