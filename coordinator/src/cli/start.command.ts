import { parseDuration } from '@coferment/consortium';
import type { SecretFlags } from '@coferment/crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { type BucketFlags, bucketOf, bucketOptions } from './bucket.options.js';
import { CommandOutput } from './command.output.js';
import { CoordinatorError } from '../errors/index.js';
import { EXIT } from './exit.codes.js';
import { type MonitorFlags, monitorOf, monitorOptions } from './monitor.options.js';
import { readLimits } from '../limits/limits.file.js';
import { type LedgerFlags, charterOf, ledgerOptions, listeningOf } from './ledger.options.js';
import { readSecret, secretOptions } from './secret.options.js';

interface StartFlags extends SecretFlags, LedgerFlags, MonitorFlags, BucketFlags {
  data: string;
  consortium?: string;
  origin?: string;
  listen?: string;
  certificateLife?: number;
  limits?: string;
  json?: boolean;
}

export function addStart(program: Command): void {
  const command = secretOptions(program.command('start'))
    .description(
      'Run the coordinator in the foreground. The first start founds the consortium; later ones take everything from the data folder.',
    )
    .requiredOption('--data <dir>', 'data folder')
    .option('--consortium <name>', 'name of a new consortium')
    .option('--origin <origin>', 'name of its ledger, e.g. ledger.example/fermentation (a URL without scheme, for good)')
    .option(
      '--listen <host:port>',
      'address that agents dial, or [::]:port for every address of this machine; port 0 takes a free one (default: the last one)',
    )
    .option(
      '--certificate-life <time>',
      'how long certificates are good for, 10 min to 365 d; kept for later starts (at first 30 d)',
      parseLife,
    )
    .option('--limits <file>', 'what callers may ask for at most, as YAML (docs/limits.md; default: enough for 128 sites)')
    .option('--json', 'print one JSON event a line');
  bucketOptions(monitorOptions(ledgerOptions(command)))
    .addHelpText(
      'after',
      '\nExample:\n  coferment start --data ./coordinator --consortium fermentation --origin ledger.example/fermentation --listen 0.0.0.0:7443 --passphrase-file ./passphrase\n  coferment start --data ./coordinator --ledger-listen 0.0.0.0:8443 --ledger-tls-cert ./tls/fullchain.pem --ledger-tls-key ./tls/key.pem --passphrase-file ./passphrase\n  coferment start --data ./coordinator --monitor-listen 127.0.0.1:9463 --log stdout --passphrase-file ./passphrase\n  coferment start --data ./coordinator --limits ./limits.yaml --passphrase-file ./passphrase\n  DATABASE_URL=postgres://coferment@db.example/coferment coferment start --data ./coordinator-b --objects /shared/coferment-objects --passphrase-file ./passphrase\n  AWS_PROFILE=objects coferment start --data ./coordinator --objects s3://fermentation/objects --s3-endpoint https://s3.example --s3-path-style --passphrase-file ./passphrase',
    )
    .action(runStart);
}

async function runStart(flags: StartFlags): Promise<void> {
  const output = new CommandOutput(flags.json === true);
  try {
    const { data, consortium, origin, listen, certificateLife, witness, limits } = flags;
    const ledger = listeningOf(flags);
    const databaseUrl = process.env['DATABASE_URL'];
    // The server and its database are loaded here, so that the operator's other commands need not wait for them.
    const { startCoordinator } = await import('../coordinator.start.js');
    const running = await startCoordinator({
      folder: data,
      passphrase: await readSecret(flags, data),
      ...(consortium === undefined ? {} : { consortium }),
      ...(origin === undefined ? {} : { origin }),
      charter: charterOf(flags),
      ...(witness === undefined ? {} : { witnessServers: witness }),
      ...(ledger === undefined ? {} : { ledger }),
      ...monitorOf(flags),
      ...(limits === undefined ? {} : { limits: readLimits(limits) }),
      ...(listen === undefined ? {} : { listen }),
      ...bucketOf(flags),
      ...(certificateLife === undefined ? {} : { certificateLifeMs: certificateLife }),
      ...(databaseUrl === undefined || databaseUrl === '' ? {} : { databaseUrl }),
    });
    const { facts, address, ledgerUrl, monitorUrl } = running;
    const event = {
      event: 'listening',
      address,
      consortium: facts.consortium,
      origin: facts.origin,
      logVkey: facts.logVkey,
      operatorKey: facts.operatorKey,
      ...(ledgerUrl === undefined ? {} : { ledgerUrl }),
      ...(monitorUrl === undefined ? {} : { monitorUrl }),
    };
    const served = ledgerUrl === undefined ? '' : `\nThe ledger is open to anybody at ${ledgerUrl}/checkpoint.`;
    const monitored = monitorUrl === undefined ? '' : `\nMonitoring: ${monitorUrl}/metrics, /healthz and /readyz.`;
    const stop = () => {
      setTimeout(() => {
        output.failure(
          new CoordinatorError(
            'stopping',
            `The coordinator did not stop in order within ${LONGEST_STOP_MS / 1000} s and was ended. Nothing that was confirmed is lost; start it again.`,
          ),
        );
        process.exit(EXIT.failed);
      }, LONGEST_STOP_MS).unref();
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
    // Last: whoever reads it may stop this process at once.
    output.result(
      event,
      `The coordinator of "${facts.consortium}" listens on ${address}.\nKey of its ledger (give it to auditors on paper): ${facts.logVkey}${served}${monitored}\nStop it with Ctrl-C.`,
    );
  } catch (error) {
    output.failure(error);
    // A start that failed half-way may have left timers or sockets behind.
    process.exit(EXIT.failed);
  }
}

/** Whoever stops services waits 10 s before they kill. */
const LONGEST_STOP_MS = 9500;

const SHORTEST_LIFE_MS = 600_000;
const LONGEST_LIFE_MS = 365 * 86_400_000;

/** Shorter ones would make every site renew all the time, longer ones would leave a stolen key good for years. */
function parseLife(text: string): number {
  const lifeMs = parseDuration(text);
  if (lifeMs === undefined || lifeMs < SHORTEST_LIFE_MS || lifeMs > LONGEST_LIFE_MS)
    throw new InvalidArgumentError('It must be a length of time from "10 min" to "365 d", for example "30 d".');
  return lifeMs;
}
