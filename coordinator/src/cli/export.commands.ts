import type { Command } from 'commander';
import { exportLedger } from './ledger.export.js';
import { exportModel } from './model.export.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

export function addExports(program: Command): void {
  const exports = program.command('export').description('Take the ledger or a model out.');

  operatorOptions(exports.command('ledger').description('Write the whole ledger, with all that an auditor needs to recompute the models.'))
    .requiredOption('--out <dir>', 'folder to write to')
    .addHelpText(
      'after',
      '\nExample:\n  coferment export ledger --out ./ledger --data ./coordinator --passphrase-file ./passphrase\n  coferment-audit verify ./ledger --key VKEY',
    )
    .action((flags: OperatorFlags & { out: string }) =>
      callOperator(flags, async (client, output) => {
        const written = await exportLedger(client, flags.out);
        output.result(
          written,
          `${written.entries} entries are in ${flags.out}. Verify them: coferment-audit verify ${flags.out} --key "${written.logVkey}"`,
        );
      }),
    );

  operatorOptions(exports.command('model <run>').description('Write the model of a run in the TensorFlow.js layers format.'))
    .requiredOption('--out <dir>', 'folder to write to')
    .addHelpText(
      'after',
      '\nExample:\n  coferment export model r1-3f9c0a… --out ./model --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((run: string, flags: OperatorFlags & { out: string }) =>
      callOperator(flags, async (client, output) => {
        const written = await exportModel(client, run, flags.out);
        output.result(written, `Model ${written.model} (after round ${written.round}) is in ${flags.out}.`);
      }),
    );
}
