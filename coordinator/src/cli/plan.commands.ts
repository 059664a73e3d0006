import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CoordinatorError } from '../errors/index.js';
import { CommandOutput } from './command.output.js';
import { ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';
import { explanationText } from './plan.explanation.text.js';
import { explainPlan } from './plan.explanation.js';

export function addPlans(program: Command): void {
  const plan = program.command('plan').description('Plans: what a run computes, on which data, under which quorum.');

  operatorOptions(plan.command('publish <file>').description('Check a plan and publish it. Its digest is its name from then on.'))
    .addHelpText('after', '\nExample:\n  coferment plan publish plan.yaml --data ./coordinator --passphrase-file ./passphrase')
    .action((file: string, flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const published = await ask(operator.publishPlan.bind(operator), { plan: readPlan(file) });
        output.result(
          published,
          `Plan "${published.name}" is published as ${published.plan}. Launch it: coferment launch ${published.plan}`,
        );
      }),
    );

  plan
    .command('explain <file>')
    .description('What a plan means in numbers for so many sites. Needs no coordinator.')
    .requiredOption('--sites <count>', 'number of sites', Number)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  coferment plan explain plan.yaml --sites 5\n  coferment plan explain plan.yaml --sites 5 --json\nA plan that does not fit is refused with exit code 1 and the numbers.',
    )
    .action((file: string, flags: { sites: number; json?: boolean }) => {
      const output = new CommandOutput(flags.json === true);
      try {
        const explanation = explainPlan(readPlan(file), flags.sites);
        output.result(explanation, explanationText(explanation));
      } catch (error) {
        output.failure(error);
      }
    });
}

function readPlan(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CoordinatorError('invalid-plan', `The plan ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
