import { type Command, Option } from 'commander';
import type { SumChoice } from '../recompute/index.js';
import { type Conclude, type Output, exitCodes, jsonText } from './audit.output.js';
import { type KeyFlags, keyOptions, readKeys } from './key.options.js';
import { recomputationText } from './recomputation.text.js';
import { requireFolder } from './ledger.target.js';

interface RecomputeFlags extends KeyFlags {
  round?: number;
  sum?: number;
  all?: boolean;
  run?: string;
  json?: boolean;
}

export function addRecompute(program: Command, { out, err }: Output, conclude: Conclude): void {
  keyOptions(program.command('recompute'))
    .description(
      'open published sums again, from the stored uploads and decryption shares, and compute the models that follow, bit for bit',
    )
    .argument('<folder>', 'the exported ledger with its objects: checkpoint, tile/, payloads/, objects/')
    .addOption(
      new Option('--round <number>', 'the sums of this training round; 0: those before the first one').argParser(wholeNumber('--round')),
    )
    .addOption(new Option('--sum <number>', 'the sum with this number').argParser(wholeNumber('--sum')).conflicts('round'))
    .addOption(new Option('--all', 'every published sum').conflicts(['round', 'sum']))
    .option('--run <run>', 'of this run; needed where several runs have such a sum')
    .option('--json', 'print the whole report as JSON')
    .addHelpText(
      'after',
      `
The ledger is verified first, as "coferment-audit verify" does it; nothing unverified is recomputed from. Uploads and decryption shares are in an export
made with --with-objects.

Exit code: 0 what was published is what comes out, 1 it is not (the report says which site's upload or share, or which entry), 2 it could not be checked, for
instance because objects are missing or no --key or --policy was given.

Example:
  coferment-audit recompute ./ledger-export --round 3 --key 'ledger.example.com/fermentation+1a2b3c4d+AbCd...='`,
    )
    .action(async (folder: string, flags: RecomputeFlags) => {
      const choice = choiceOf(flags);
      await requireFolder(folder);
      const keys = await readKeys(flags);
      // Only here: no other command needs to open sums.
      const { recomputeExport } = await import('../recompute/index.js');
      const report = await recomputeExport(folder, { ...keys, choice, progress: (text) => err(`${text} …\n`) });
      out(flags.json ? jsonText(report, 2) : recomputationText(report));
      conclude(exitCodes[report.verdict]);
    });
}

function choiceOf({ round, sum, all, run }: RecomputeFlags): SumChoice {
  const of = run === undefined ? {} : { run };
  if (round !== undefined) return { ...of, of: 'round', round };
  if (sum !== undefined) return { ...of, of: 'sum', sum };
  if (all) return { ...of, of: 'all' };
  throw new Error('say what to recompute: --round NUMBER, --sum NUMBER or --all');
}

function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    if (!/^\d{1,9}$/.test(text)) throw new Error(`${option} "${text}" is not a whole number`);
    return Number(text);
  };
}
