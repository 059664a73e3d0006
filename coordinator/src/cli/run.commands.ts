import type { ServiceError } from '@grpc/grpc-js';
import { DURATION_FORM, formatDuration, parseDuration } from '@coferment/consortium';
import type { WatchRunResponse } from '@coferment/proto';
import { type Command, InvalidArgumentError } from 'commander';
import { CoordinatorError } from '../errors/index.js';
import type { CommandOutput } from './command.output.js';
import { EXIT } from './exit.codes.js';
import { type OperatorClient, ask, refusal } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';
import { eventText, runListText, runText, statusText } from './run.text.js';

export function addRuns(program: Command): void {
  operatorOptions(
    program.command('launch <plan>').description('Open a run of a published plan. It starts when every site has approved it.'),
  )
    .option('--sites <names>', 'comma-separated; default: all enrolled sites')
    .option(
      '--approve-within <time>',
      'such as "7 d": when it is over, the run goes on among the sites that have approved, or is aborted if they are too few; default: it waits for all',
      parseTime,
    )
    .addHelpText(
      'after',
      "\nExamples:\n  coferment launch 3f9c… --sites alpha,beta,gamma --data ./coordinator --passphrase-file ./passphrase\n  coferment launch 3f9c… --approve-within '7 d' --data ./coordinator --passphrase-file ./passphrase",
    )
    .action((plan: string, flags: OperatorFlags & { sites?: string; approveWithin?: number }) =>
      callOperator(flags, async ({ operator }, output) => {
        const sites = flags.sites?.split(',').map((site) => site.trim()) ?? [];
        const launched = await ask(operator.launchRun.bind(operator), {
          plan,
          sites,
          approveWithinMs: flags.approveWithin ?? 0,
          startAtMs: 0,
        });
        output.result(launched, launchedText(launched.run, flags.approveWithin));
      }),
    );

  operatorOptions(program.command('status').description('Sites and runs: what each waits for, until when, and what to do.'))
    .addHelpText('after', '\nExample:\n  coferment status --data ./coordinator --passphrase-file ./passphrase')
    .action((flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const status = await ask(operator.getStatus.bind(operator), {});
        output.result(status, statusText(status));
      }),
    );

  const runs = program.command('runs').description('All runs of the consortium.');
  operatorOptions(
    runs.command('list').description('Every run: its state, how far it is, and what it waits for. More of one: coferment run RUN'),
  )
    .addHelpText('after', '\nExample:\n  coferment runs list --data ./coordinator --passphrase-file ./passphrase')
    .action((flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const status = await ask(operator.getStatus.bind(operator), {});
        output.result(status.runs, runListText(status.runs));
      }),
    );

  operatorOptions(
    runs
      .command('readmit <run> <site>')
      .description('Wait again for a site that was set aside because five sums in a row had waited for it in vain.'),
  )
    .addHelpText('after', '\nExample:\n  coferment runs readmit r1-3f9c0a… birch --data ./coordinator --passphrase-file ./passphrase')
    .action((run: string, site: string, flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        await ask(operator.readmitSite.bind(operator), { run, site });
        output.result({ run, site, readmitted: true }, `Run ${run} waits for "${site}" again.`);
      }),
    );

  operatorOptions(program.command('run <run>').description('One run with all its sums.'))
    .addHelpText('after', '\nExample:\n  coferment run r1-3f9c0a… --data ./coordinator --passphrase-file ./passphrase')
    .action((run: string, flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const answer = await ask(operator.getRun.bind(operator), { run });
        if (answer.run !== undefined) output.result(answer.run, runText(answer.run));
      }),
    );

  operatorOptions(
    program.command('watch <run>').description('Show the events of a run until it is over. Exits 0 when it completed, 1 otherwise.'),
  )
    .option('--after <sequence>', 'only events after this one', Number, 0)
    .addHelpText('after', '\nExample:\n  coferment watch r1-3f9c0a… --data ./coordinator --passphrase-file ./passphrase')
    .action((run: string, flags: OperatorFlags & { after: number }) =>
      callOperator(flags, (client, output) => watch(client, output, run, flags.after)),
    );

  operatorOptions(program.command('abort <run>').description('End a run. What was learnt so far stays in the ledger.'))
    .option('--reason <text>', 'shown to everybody', '')
    .addHelpText(
      'after',
      '\nExample:\n  coferment abort r1-3f9c0a… --reason "wrong plan" --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((run: string, flags: OperatorFlags & { reason: string }) =>
      callOperator(flags, async ({ operator }, output) => {
        await ask(operator.abortRun.bind(operator), { run, reason: flags.reason });
        output.result({ run, state: 'aborted' }, `Run ${run} is aborted.`);
      }),
    );
}

function launchedText(run: string, withinMs: number | undefined): string {
  const until = withinMs === undefined ? '' : `, for at most ${formatDuration(withinMs)}; then it goes on among those that have approved`;
  return `Run ${run} waits for the approval of its sites${until}. Follow it: coferment watch ${run}`;
}

function parseTime(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError(`It ${DURATION_FORM}.`);
  return ms;
}

async function watch({ operator }: OperatorClient, output: CommandOutput, run: string, after: number): Promise<void> {
  let state = '';
  try {
    for await (const event of operator.watchRun({ run, after }) as AsyncIterable<WatchRunResponse>) {
      output.result(event, eventText(event));
      if (event.type === 'run-state') state = event.state;
    }
  } catch (error) {
    throw error instanceof CoordinatorError ? error : refusal(error as ServiceError);
  }
  if (state !== 'completed') process.exitCode = EXIT.failed;
}
