import type { Command } from 'commander';
import { exportLedger } from './ledger.export.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

export function addExports(program: Command): void {
  const exports = program.command('export').description('Take the ledger out. For a model: coferment models download.');

  operatorOptions(exports.command('ledger').description('Write the whole ledger, with all that an auditor needs to recompute the models.'))
    .requiredOption('--out <dir>', 'folder to write to')
    .addHelpText(
      'after',
      '\nExample:\n  coferment export ledger --out ./ledger --data ./coordinator --passphrase-file ./passphrase\n  coferment-audit verify ./ledger --key VKEY',
    )
    .action((flags: OperatorFlags & { out: string }) =>
      callOperator(flags, async (client, output) => {
        const written = await exportLedger(client, flags.data, flags.out);
        output.result(
          written,
          `${written.entries} entries are in ${flags.out}. Verify them: coferment-audit verify ${flags.out} --key "${written.logVkey}"`,
        );
      }),
    );
}
