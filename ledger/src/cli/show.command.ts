import type { Command } from 'commander';
import { type AccountFilter, filterAccount } from '../account/index.js';
import { type AccountFlags, accountOptions, exitCodeOf, readAccount } from './account.reading.js';
import { type Conclude, type Output, jsonText } from './audit.output.js';
import { showText } from './show.text.js';

interface ShowFlags extends AccountFlags {
  run?: string;
  round?: string;
  site?: string;
  json?: boolean;
}

/** Of a pipe, which has no width. */
const PIPE_WIDTH = 160;

export function addShow(program: Command, output: Output, conclude: Conclude): void {
  accountOptions(program.command('show'))
    .description('show rounds, sites, plans and the account of contributions of a ledger, verified while it is read')
    .option('--run <run>', 'only this run')
    .option('--round <number>', 'only this training round')
    .option('--site <site>', 'only what this site did')
    .option('--json', 'print all of it as JSON: {"verification", "account"}')
    .addHelpText(
      'after',
      `
Exit code: as of "verify", and 1 too if a number was opened to you that is not the one in the ledger. What the numbers mean: docs/account.md.

Example:
  coferment-audit show ./ledger-export --site alder --key 'ledger.example.com/fermentation+1a2b3c4d+AbCd...='`,
    )
    .action(async (folder: string, flags: ShowFlags) => {
      const filter = filterOf(flags);
      const { verification, account } = await readAccount(folder, flags, output);
      const shown = { verification, account: filterAccount(account, filter) };
      output.out(flags.json ? jsonText(shown, 2) : showText(shown, process.stdout.columns ?? PIPE_WIDTH));
      conclude(exitCodeOf(shown));
    });
}

function filterOf({ run, round, site }: ShowFlags): AccountFilter {
  if (round !== undefined && !/^[1-9][0-9]{0,8}$/.test(round)) throw new Error(`--round "${round}" is not the number of a round, from 1`);
  return {
    ...(run === undefined ? {} : { run }),
    ...(round === undefined ? {} : { round: Number(round) }),
    ...(site === undefined ? {} : { site }),
  };
}
