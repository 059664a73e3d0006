import type { Command } from 'commander';
import { ledgerJson, ledgerText } from './ledger.text.js';
import { ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

export function addLedger(program: Command): void {
  const ledger = program.command('ledger').description('The ledger: how far it is signed, cosigned by witnesses and published.');
  operatorOptions(
    ledger.command('status').description('Show the newest checkpoints, which witnesses have cosigned when, and who is waited for.'),
  )
    .addHelpText('after', '\nExample:\n  coferment ledger status --data ./coordinator --passphrase-file ./passphrase')
    .action((flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const status = await ask(operator.getLedgerStatus.bind(operator), {});
        output.result(ledgerJson(status), ledgerText(status));
      }),
    );
}
