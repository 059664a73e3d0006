import type { Command } from 'commander';
import { exportModel } from './model.export.js';
import { ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

export function addModels(program: Command): void {
  const models = program.command('models').description('The models that runs have reached: take one, or release it to all sites.');

  operatorOptions(
    models
      .command('release <run>')
      .description(
        'Let every site of the consortium use the model that a completed run ended with. It stands in the ledger; a second call changes nothing.',
      ),
  )
    .addHelpText('after', '\nExample:\n  coferment models release r1-3f9c0a… --data ./coordinator --passphrase-file ./passphrase')
    .action((run: string, flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const released = await ask(operator.releaseModel.bind(operator), { run });
        output.result(
          { run, ...released },
          `Model ${released.model} (${released.parameters} parameters) of run ${run} is released. Each site takes it: coferment-agent models download ${run} --out DIR`,
        );
      }),
    );

  operatorOptions(
    models
      .command('download <run>')
      .description('Write the model of a run in the TensorFlow.js layers format, recomputed from the sums that the ledger names.'),
  )
    .requiredOption('--out <dir>', 'folder to write to')
    .addHelpText(
      'after',
      '\nExample:\n  coferment models download r1-3f9c0a… --out ./model --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((run: string, flags: OperatorFlags & { out: string }) =>
      callOperator(flags, async (client, output) => {
        const written = await exportModel(client, run, flags.out);
        output.result(written, `Model ${written.model} (after round ${written.round}) is in ${flags.out}.`);
      }),
    );
}
