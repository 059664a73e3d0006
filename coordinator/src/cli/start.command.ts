import type { SecretFlags } from '@coferment/crypto';
import type { Command } from 'commander';
import { startCoordinator } from '../coordinator.start.js';
import { CommandOutput } from './command.output.js';
import { EXIT } from './exit.codes.js';
import { readSecret, secretOptions } from './secret.options.js';

interface StartFlags extends SecretFlags {
  data: string;
  consortium?: string;
  origin?: string;
  listen?: string;
  json?: boolean;
}

export function addStart(program: Command): void {
  secretOptions(program.command('start'))
    .description(
      'Run the coordinator in the foreground. The first start founds the consortium; later ones take everything from the data folder.',
    )
    .requiredOption('--data <dir>', 'data folder')
    .option('--consortium <name>', 'name of a new consortium')
    .option('--origin <origin>', 'name of its ledger, e.g. ledger.example/fermentation (a URL without scheme, for good)')
    .option('--listen <host:port>', 'address that agents dial; port 0 takes a free one (default: the last one)')
    .option('--json', 'print one JSON event a line')
    .addHelpText(
      'after',
      '\nExample:\n  coferment start --data ./coordinator --consortium fermentation --origin ledger.example/fermentation --listen 0.0.0.0:7443 --passphrase-file ./passphrase',
    )
    .action(runStart);
}

async function runStart(flags: StartFlags): Promise<void> {
  const output = new CommandOutput(flags.json === true);
  try {
    const { data, consortium, origin, listen } = flags;
    const databaseUrl = process.env['DATABASE_URL'];
    const running = await startCoordinator({
      folder: data,
      passphrase: await readSecret(flags, data),
      ...(consortium === undefined ? {} : { consortium }),
      ...(origin === undefined ? {} : { origin }),
      ...(listen === undefined ? {} : { listen }),
      ...(databaseUrl === undefined || databaseUrl === '' ? {} : { databaseUrl }),
    });
    const { facts, address } = running;
    const event = {
      event: 'listening',
      address,
      consortium: facts.consortium,
      origin: facts.origin,
      logVkey: facts.logVkey,
      operatorKey: facts.operatorKey,
    };
    output.result(
      event,
      `The coordinator of "${facts.consortium}" listens on ${address}.\nKey of its ledger (give it to auditors on paper): ${facts.logVkey}\nStop it with Ctrl-C.`,
    );
    const stop = () => {
      running.stop().then(
        () => process.exit(EXIT.ok),
        (error: unknown) => {
          output.failure(error);
          process.exit(EXIT.failed);
        },
      );
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  } catch (error) {
    output.failure(error);
    // A start that failed half-way may have left timers or sockets behind.
    process.exit(EXIT.failed);
  }
}
