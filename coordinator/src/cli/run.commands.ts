import type { ServiceError } from '@grpc/grpc-js';
import type { WatchRunResponse } from '@coferment/proto';
import type { Command } from 'commander';
import { CoordinatorError } from '../errors/index.js';
import type { CommandOutput } from './command.output.js';
import { EXIT } from './exit.codes.js';
import { type OperatorClient, ask, refusal } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';
import { eventText, runText, statusText } from './run.text.js';

export function addRuns(program: Command): void {
  operatorOptions(
    program.command('launch <plan>').description('Open a run of a published plan. It starts when every site has approved it.'),
  )
    .option('--sites <names>', 'comma-separated; default: all enrolled sites')
    .addHelpText(
      'after',
      '\nExample:\n  coferment launch 3f9c… --sites alpha,beta,gamma --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((plan: string, flags: OperatorFlags & { sites?: string }) =>
      callOperator(flags, async ({ operator }, output) => {
        const sites = flags.sites?.split(',').map((site) => site.trim()) ?? [];
        const launched = await ask(operator.launchRun.bind(operator), { plan, sites, approveWithinMs: 0 });
        output.result(launched, `Run ${launched.run} waits for the approval of its sites. Follow it: coferment watch ${launched.run}`);
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
