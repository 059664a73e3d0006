import { progressLines } from '@coferment/ledger';
import type { Command } from 'commander';
import { exportLedger, type WrittenLedger } from './ledger.export.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

interface ExportFlags extends OperatorFlags {
  out: string;
  withObjects?: boolean;
}

export function addExports(program: Command): void {
  const exports = program.command('export').description('Take the ledger out. For a model: coferment models download.');

  operatorOptions(exports.command('ledger').description('Write the whole ledger, with all that an auditor needs to recompute the models.'))
    .requiredOption('--out <dir>', 'folder to write to; what is there already is kept')
    .option(
      '--with-objects',
      'also the uploads and decryption shares that published sums were opened from, to recompute rounds bit for bit',
    )
    .addHelpText(
      'after',
      '\nExample:\n  coferment export ledger --out ./ledger --with-objects --data ./coordinator --passphrase-file ./passphrase\n  coferment-audit verify ./ledger --key VKEY\n  coferment-audit recompute ./ledger --round 1 --key VKEY',
    )
    .action((flags: ExportFlags) =>
      callOperator(flags, async (client, output) => {
        const progress = progressLines((line) => process.stderr.write(line));
        const written = await exportLedger(client, flags.out, { withObjects: flags.withObjects === true, progress });
        output.result(written, writtenText(written, flags.withObjects === true));
      }),
    );
}

function writtenText({ entries, uncosigned, objects, absent, out, logVkey }: WrittenLedger, withObjects: boolean): string {
  const lost =
    absent.length === 0
      ? ''
      : ` ${absent.length} uploads or decryption shares are not in the object store, the first is ${absent[0]}: restore the data folder's objects and export again.`;
  const next = `coferment-audit verify ${out} --key "${logVkey}"`;
  const recompute = withObjects ? `, and recompute all rounds: coferment-audit recompute ${out} --all --key "${logVkey}"` : '';
  const behind =
    uncosigned === 0
      ? ''
      : ` The newest entries (${uncosigned}) are not among them: too few witnesses have cosigned them so far. Export again later; "coferment ledger status" shows who is waited for.`;
  return `${entries} entries and ${objects} objects are in ${out}.${behind}${lost} Verify them: ${next}${recompute}`;
}
