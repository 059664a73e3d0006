import type { OpenNewSetResponse, RunStatus } from '@coferment/proto';
import { type Command, InvalidArgumentError } from 'commander';
import { CoordinatorError } from '../errors/index.js';
import { ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

interface NewSetFlags extends OperatorFlags {
  sites: string[];
  sum?: number;
}

export function addRounds(program: Command): void {
  const rounds = program.command('rounds').description('Sums of a run that cannot go on by themselves.');
  operatorOptions(
    rounds
      .command('open-new-set <run>')
      .description(
        'Propose another set of sites for a sum that is stuck. It is made when every site in one of the two sets only, and every site that signed the first, has approved it: whoever sees both sums can read what these sites put in.',
      ),
  )
    .requiredOption('--sites <names>', 'comma-separated: the whole set to sum over instead', parseSites)
    .option('--sum <number>', 'the stuck sum; default: the one at which the run is stuck', parseSum)
    .addHelpText(
      'after',
      '\nExample:\n  coferment rounds open-new-set r1-3f9c0a… --sites alder,birch,cedar --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((run: string, { sites, sum, ...flags }: NewSetFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const status = (await ask(operator.getRun.bind(operator), { run })).run;
        const proposed = await ask(operator.openNewSet.bind(operator), { run, sum: sum ?? stuckSum(run, status), sites });
        output.result(proposed, proposedText(run, proposed));
      }),
    );
}

function stuckSum(run: string, status: RunStatus | undefined): number {
  const stuck = status?.rounds.find(({ state }) => state === 'stuck' || state === 'stalled');
  if (stuck !== undefined) return stuck.sum;
  throw new CoordinatorError(
    'no-new-set',
    `Run ${run} is "${status?.state ?? 'unknown'}" and has no stuck sum. Nothing was changed. See: coferment run ${run}`,
  );
}

function parseSites(text: string): string[] {
  const sites = text.split(',').map((site) => site.trim());
  if (sites.includes('')) throw new InvalidArgumentError('It must be names with commas between them.');
  return sites;
}

function parseSum(text: string): number {
  const sum = Number(text);
  if (!Number.isInteger(sum) || sum < 1) throw new InvalidArgumentError('It must be the number of a sum, as coferment run shows it.');
  return sum;
}

function proposedText(run: string, { proposal, approvers }: OpenNewSetResponse): string {
  return [
    `Another set is proposed. It is opened when all of these have approved it: ${approvers.join(', ')}.`,
    'At each of them somebody reads what it would show and decides:',
    '  coferment-agent sets show --data DIR',
    `  coferment-agent sets approve ${proposal} --data DIR`,
    `Who has approved: coferment run ${run}`,
  ].join('\n');
}
