import { formatDuration } from '@coferment/consortium';
import { type Command, InvalidArgumentError } from 'commander';
import { CoordinatorError } from '../errors/index.js';
import { type OperatorClient, ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';
import { parseTime } from './time.options.js';

interface ExtendFlags extends OperatorFlags {
  by: number;
  sum?: number;
  reason: string;
}

/** States in which a sum collects from sites, so that its deadline means something. */
const COLLECTING = ['training', 'ready', 'uploading'];

export function addControl(program: Command): void {
  operatorOptions(
    program
      .command('pause <run>')
      .description('Stop a running run for a while: nothing is asked of its sites and no deadline runs. Nothing is lost.'),
  )
    .option('--reason <text>', 'shown to everybody and kept in the ledger', '')
    .addHelpText(
      'after',
      '\nExample:\n  coferment pause r1-3f9c0a… --reason "maintenance at two sites" --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((run: string, flags: OperatorFlags & { reason: string }) =>
      callOperator(flags, async ({ operator }, output) => {
        await ask(operator.pauseRun.bind(operator), { run, reason: flags.reason });
        output.result({ run, state: 'paused' }, `Run ${run} is paused. Go on with: coferment resume ${run}`);
      }),
    );

  operatorOptions(
    program.command('resume <run>').description('Let a paused run go on. Every open deadline is moved by the length of the pause.'),
  )
    .addHelpText('after', '\nExample:\n  coferment resume r1-3f9c0a… --data ./coordinator --passphrase-file ./passphrase')
    .action((run: string, flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        await ask(operator.resumeRun.bind(operator), { run });
        output.result({ run, state: 'running' }, `Run ${run} goes on. Follow it: coferment watch ${run}`);
      }),
    );

  operatorOptions(
    program
      .command('extend <run>')
      .description(
        'Give sites more time in the stage that collects from them now. The plan stays as it is: the next stage has its time again.',
      ),
  )
    .requiredOption('--by <time>', 'such as "10 min", counted from the deadline, or from now where it is over', parseTime)
    .option('--sum <number>', 'only this sum; default: every sum that collects now', parseSum)
    .option('--reason <text>', 'shown to everybody and kept in the ledger', '')
    .addHelpText(
      'after',
      "\nExamples:\n  coferment extend r1-3f9c0a… --by '10 min' --data ./coordinator --passphrase-file ./passphrase\n  coferment extend r1-3f9c0a… --by '2 h' --sum 7 --reason \"a slow line\" --data ./coordinator --passphrase-file ./passphrase",
    )
    .action((run: string, flags: ExtendFlags) =>
      callOperator(flags, async (client, output) => {
        const { json, text } = await extend(client, run, flags);
        output.result(json, text);
      }),
    );
}

interface Extended {
  json: object;
  text: string;
}

async function extend({ operator }: OperatorClient, run: string, { by, sum, reason }: ExtendFlags): Promise<Extended> {
  const sums = sum === undefined ? await collectingSums(operator, run) : [sum];
  const extended: { sum: number; deadlineMs: number }[] = [];
  for (const each of sums) {
    const { deadlineMs } = await ask(operator.extendDeadline.bind(operator), { run, sum: each, byMs: by, reason });
    extended.push({ sum: each, deadlineMs });
  }
  const lines = extended.map(({ sum: each, deadlineMs }) => `sum ${each}: at most until ${new Date(deadlineMs).toISOString()}`);
  return { json: { run, byMs: by, sums: extended }, text: `Run ${run} has ${formatDuration(by)} more.\n${lines.join('\n')}` };
}

async function collectingSums(operator: OperatorClient['operator'], run: string): Promise<number[]> {
  const { run: status } = await ask(operator.getRun.bind(operator), { run });
  const sums = status?.rounds.filter(({ state }) => COLLECTING.includes(state)).map(({ sum }) => sum) ?? [];
  if (sums.length > 0) return sums;
  throw new CoordinatorError(
    'wrong-state',
    `Run ${run} is "${status?.state ?? ''}" and no sum of it collects from sites now, so no deadline can be extended. Nothing was changed. See it: coferment run ${run}`,
  );
}

function parseSum(text: string): number {
  const sum = Number(text);
  if (!Number.isInteger(sum) || sum < 1)
    throw new InvalidArgumentError('It must be the number of a sum, 1 or more; coferment run RUN shows them.');
  return sum;
}
