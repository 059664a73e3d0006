import type { SecretFlags } from '@coferment/crypto';
import type { BackendName } from '@coferment/learning';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { renderFinding } from '../doctor/doctor.text.js';
import { readSecret } from '../keys/store.secret.js';
import { printableLines } from '../printable.text.js';
import { serve, type ServeWatcher } from '../rounds/agent.service.js';
import type { AgentEvent } from '../rounds/site.context.js';
import { LOG_LEVELS, LOG_PLACES, type LogLevel, type LogPlace } from '../telemetry/agent.log.js';
import { fail } from './command.output.js';
import { secretOptions } from './secret.options.js';

interface ServeOptions extends SecretFlags {
  data: string;
  mapping: string;
  records: string;
  policy?: string;
  pollWaitMs: number;
  backend: BackendName;
  log: LogPlace;
  logLevel: LogLevel;
  metricsListen?: string;
  metricsOpen?: boolean;
  json?: boolean;
}

/** Whoever stops services waits 10 s before they kill. */
const LONGEST_STOP_MS = 9500;

const MOST_WAIT_MS = 20_000;

export function addServeCommand(program: Command): void {
  secretOptions(program.command('serve'))
    .description('Take part: poll for work, train on the records of this site, until stopped')
    .requiredOption('--data <dir>', 'data folder of this site')
    .requiredOption('--mapping <file>', "mapping file of this site's records")
    .requiredOption('--records <dir>', 'folder that the mapping reads from')
    .option('--policy <file>', 'standing rules of this site; default: policy.yaml in the data folder, if there is one')
    .option('--poll-wait-ms <ms>', 'how long a poll may be held, 100 to 20000', parseWait, 1000)
    .addOption(new Option('--backend <name>', 'what training computes with').choices(['wasm', 'cpu', 'tensorflow', 'auto']).default('wasm'))
    .option(
      '--metrics-listen <host:port>',
      "serve metrics for this site's own monitoring there, e.g. 127.0.0.1:9464; without it no port is opened",
    )
    .option('--metrics-open', 'let --metrics-listen be an address that other machines reach; they need no password')
    .addOption(new Option('--log <where>', 'agent.log of the data folder, or standard output').choices(LOG_PLACES).default('file'))
    .addOption(new Option('--log-level <level>', 'the least that is written').choices(LOG_LEVELS).default('info'))
    .option('--json', 'print one JSON event a line')
    .addHelpText(
      'after',
      '\nExample:\n  coferment-agent serve --data /var/lib/coferment --mapping mapping.yaml --records /data/batches --passphrase-file /etc/coferment/passphrase',
    )
    .action(runServe);
}

async function runServe(options: ServeOptions): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => endWithin(stop));
  const input = {
    folder: options.data,
    mappingFile: options.mapping,
    recordsFolder: options.records,
    ...(options.policy === undefined ? {} : { policyFile: options.policy }),
    pollWaitMs: options.pollWaitMs,
    backend: options.backend,
    log: options.log,
    logLevel: options.logLevel,
    ...(options.metricsListen === undefined ? {} : { metrics: { listen: options.metricsListen, open: options.metricsOpen === true } }),
  };
  try {
    await serve({ ...input, passphrase: await readSecret(options) }, options.json === true ? jsonWatcher() : textWatcher(), stop.signal);
  } catch (error) {
    fail(options, error);
  }
  // Work that was given up must not go on against a closed journal.
  process.exit();
}

/** What is under way may come to its end or is given up, as by a power cut: every step is stored before it is sent. */
function endWithin(stop: AbortController): void {
  setTimeout(() => {
    process.stderr.write(
      `The agent did not stop in order within ${LONGEST_STOP_MS / 1000} s and was ended. Start it again; it goes on where it was.\n`,
    );
    process.exit(1);
  }, LONGEST_STOP_MS).unref();
  stop.abort();
}

function jsonWatcher(): ServeWatcher {
  const print = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);
  return {
    serving: ({ site, consortium, coordinator }, metricsUrl) =>
      print({ event: 'serving', site, consortium, coordinator, pid: process.pid, ...(metricsUrl === undefined ? {} : { metricsUrl }) }),
    event: print,
    probed: (steps, message) => print({ event: 'disconnected', message, probe: steps }),
  };
}

function textWatcher(): ServeWatcher {
  const print = (text: string) => process.stdout.write(`${printableLines(text)}\n`);
  return {
    serving: ({ site, consortium, coordinator }, metricsUrl) =>
      print(
        `Site ${site} serves ${consortium}; coordinator ${coordinator}. Stop with Ctrl-C.${metricsUrl === undefined ? '' : `\nMetrics: ${metricsUrl}/metrics`}`,
      ),
    event: (event) => print(describe(event)),
    probed: (steps, message) => process.stderr.write(printableLines([message, ...steps.flatMap(renderFinding), ''].join('\n'))),
  };
}

function describe(event: AgentEvent): string {
  switch (event.event) {
    case 'connected':
      return 'Connected.';
    case 'disconnected':
      return `Not connected: ${event.message}`;
    case 'instruction':
      return `${event.run}: asked to ${event.kind}${event.sum === undefined ? '' : `, sum ${event.sum}`}`;
    case 'trained':
      return `${event.run}: ${event.kind} vector of ${event.rows} rows is ready (round ${event.round})`;
    case 'sent':
      return `sent ${event.name}, ${event.bytes} bytes, ${event.digest.slice(0, 16)}…`;
    case 'applied':
      return `${event.run}: applied sum ${event.sum} (${event.kind}), model ${event.model.slice(0, 16)}`;
    case 'waiting':
      return `${event.run}: ${event.reason}${event.whatToDo === '' ? '' : `\n  → ${event.whatToDo}`}`;
    case 'approved-by-policy':
      return `${event.run}: every rule of the policy approves plan ${event.plan.slice(0, 16)}…; the run is approved. Read it: coferment-agent plans show ${event.plan}`;
    case 'refused':
      return `Refused: ${event.message}`;
    case 'receipt':
      return `${event.run}: the receipt of sum ${event.sum} is stored, cosigned by ${event.witnesses} witnesses`;
    case 'cosigned':
      return `cosigned the ledger up to entry ${event.size} (told once an hour)`;
    case 'storage-failed':
      return `STORAGE: ${event.message}`;
    case 'storage-recovered':
      return 'There is room again; this site goes on.';
    case 'split-view':
      return `${'!'.repeat(72)}\nTHE LOG IS NOT THE SAME FOR EVERYBODY (evidence ${event.id})\n${event.message}\n${'!'.repeat(72)}`;
    case 'run-closed':
      return `${event.run} is ${event.status}; its keys are erased.`;
  }
}

function parseWait(text: string): number {
  const ms = Number(text);
  if (!Number.isInteger(ms) || ms < 100 || ms > MOST_WAIT_MS)
    throw new InvalidArgumentError(`It must be a whole number from 100 to ${MOST_WAIT_MS}.`);
  return ms;
}
