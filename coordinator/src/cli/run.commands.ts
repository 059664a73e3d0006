import { formatDuration } from '@coferment/consortium';
import type { Command } from 'commander';
import { ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';
import { parseInstant, parseTime } from './time.options.js';
import { runListText, runText, statusText } from './run.text.js';

interface LaunchFlags extends OperatorFlags {
  sites?: string;
  approveWithin?: number;
  startAt?: number;
}

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
    .option(
      '--start-at <instant>',
      'such as 2026-12-01T22:00+01:00: sites approve at once, and nothing else begins before; default: it starts with the last approval',
      parseInstant,
    )
    .addHelpText(
      'after',
      "\nExamples:\n  coferment launch 3f9c… --sites alpha,beta,gamma --data ./coordinator --passphrase-file ./passphrase\n  coferment launch 3f9c… --approve-within '7 d' --data ./coordinator --passphrase-file ./passphrase\n  coferment launch 3f9c… --start-at 2026-12-01T22:00+01:00 --data ./coordinator --passphrase-file ./passphrase",
    )
    .action((plan: string, flags: LaunchFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const sites = flags.sites?.split(',').map((site) => site.trim()) ?? [];
        const launched = await ask(operator.launchRun.bind(operator), {
          plan,
          sites,
          approveWithinMs: flags.approveWithin ?? 0,
          startAtMs: flags.startAt ?? 0,
        });
        output.result(launched, launchedText(launched.run, flags));
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

function launchedText(run: string, { approveWithin, startAt }: LaunchFlags): string {
  const until =
    approveWithin === undefined ? '' : `, for at most ${formatDuration(approveWithin)}; then it goes on among those that have approved`;
  const start = startAt === undefined ? '' : ` It starts at ${new Date(startAt).toISOString()} at the earliest.`;
  return `Run ${run} waits for the approval of its sites${until}.${start} Follow it: coferment watch ${run}`;
}
