import { isatty } from 'node:tty';
import type { ServiceError } from '@grpc/grpc-js';
import type { WatchRunResponse } from '@coferment/proto';
import { type Command, InvalidArgumentError } from 'commander';
import { createLogUpdate } from 'log-update';
import { CoordinatorError } from '../errors/index.js';
import type { CommandOutput } from './command.output.js';
import { EXIT } from './exit.codes.js';
import { liveView } from './live.view.js';
import { LiveWatch } from './live.watch.js';
import { type OperatorClient, ask, refusal } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';
import { eventText } from './run.text.js';
import { coloursOf } from './terminal.colours.js';

type WatchFlags = OperatorFlags & { after: number; lines?: boolean };

const FIRST_COLUMNS = 80;
const FIRST_ROWS = 24;

export function addWatch(program: Command): void {
  operatorOptions(
    program
      .command('watch <run>')
      .description(
        'Follow a run until it is over: a live view on a terminal, else one line an event. Exits 0 when it completed, 1 otherwise.',
      ),
  )
    .option('--after <sequence>', 'only events after this one', parseSequence, 0)
    .option('--lines', 'one line an event, on a terminal too')
    .addHelpText(
      'after',
      '\nExamples:\n  coferment watch r1-3f9c0a… --data ./coordinator --passphrase-file ./passphrase\n  coferment watch r1-3f9c0a… --lines --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((run: string, flags: WatchFlags) =>
      callOperator(flags, async (client, output) => {
        const isLive = flags.json !== true && flags.lines !== true && isatty(1);
        const state = isLive ? await watchLive(client, run, flags.after) : await watchLines(client, output, run, flags.after);
        if (state !== 'completed') process.exitCode = EXIT.failed;
      }),
    );
}

function parseSequence(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be the number of an event, as --json shows it.');
  return Number(text);
}

/** @returns the state that the run came to */
async function watchLines({ operator }: OperatorClient, output: CommandOutput, run: string, after: number): Promise<string> {
  let state = '';
  try {
    for await (const event of operator.watchRun({ run, after }) as AsyncIterable<WatchRunResponse>) {
      output.result(event, eventText(event));
      if (event.type === 'run-state') state = event.state;
    }
  } catch (error) {
    throw error instanceof CoordinatorError ? error : refusal(error as ServiceError);
  }
  return state;
}

async function watchLive({ operator }: OperatorClient, run: string, after: number): Promise<string> {
  const { stdout } = process;
  const draw = createLogUpdate(stdout);
  const styles = coloursOf(1);
  const watch = new LiveWatch(
    {
      run: async () => (await ask(operator.getRun.bind(operator), { run })).run,
      ledger: () => ask(operator.getLedgerStatus.bind(operator), {}),
      events: (last) => operator.watchRun({ run, after: last }) as AsyncIterable<WatchRunResponse>,
    },
    (state) => draw(liveView(state, { columns: stdout.columns ?? FIRST_COLUMNS, rows: stdout.rows ?? FIRST_ROWS }, styles).join('\n')),
  );
  try {
    return await watch.follow(after);
  } finally {
    draw.done();
  }
}
