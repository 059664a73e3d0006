import { join } from 'node:path';
import { hexToBytes, loadCrypto } from '@coferment/crypto';
import type { Command } from 'commander';
import { AgentError } from '../agent.error.js';
import { ObjectCache } from '../connection/object.cache.js';
import { mapProxyVariables } from '../connection/proxy.environment.js';
import { WireClient } from '../connection/wire.client.js';
import { type Membership, readMembership } from '../enrolment/membership.file.js';
import { endpointOf } from '../enrolment/renewal.flow.js';
import { Journal } from '../journal/journal.js';
import { KeyStore } from '../keys/key.store.js';
import { readPassphrase } from '../keys/passphrase.file.js';
import { readTlsCredential } from '../keys/site.identity.js';
import { downloadModel, ownModel } from '../models/model.download.js';
import { type KeptModel, writeModelFile } from '../models/model.file.js';
import { readReleases, type Release } from '../models/release.ledger.js';
import { answer } from './command.output.js';

interface ModelOptions {
  data: string;
  passphraseFile?: string;
  json?: boolean;
}

/** A long ledger takes some seconds to read: people see that it goes on. */
const TOLD_EVERY = 4096;

export function addModelCommands(program: Command): void {
  const models = program.command('models').description('Models that the operator has released, also those of runs without this site');
  memberOptions(models.command('list').description('Every released model, as the ledger tells of it'))
    .addHelpText('after', '\nExample:\n  coferment-agent models list --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase')
    .action((options: ModelOptions) => answer(options, () => listModels(options)));
  memberOptions(
    models
      .command('download')
      .description(
        "Write a model to a folder: from this site's own computation where it has one, else downloaded and compared with what the operator signed in the ledger",
      )
      .argument('<run>', 'run whose model it is'),
  )
    .requiredOption('--out <dir>', 'folder to write to: for this agent (coferment-model.json) and in the TensorFlow.js layers format')
    .addHelpText(
      'after',
      '\nExample:\n  coferment-agent models download r1-0123456789abcdef --out model --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase\n  coferment-agent predict --model model/coferment-model.json --mapping mapping.yaml --records /data/new --out titre.csv',
    )
    .action((run: string, options: ModelOptions & { out: string }) => answer(options, () => takeModel(run, options)));
}

function memberOptions(command: Command): Command {
  return command
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--passphrase-file <file>', 'file with the passphrase of the keys, with which the coordinator is called')
    .option('--json', 'print JSON');
}

async function listModels(options: ModelOptions) {
  const releases = await withCoordinator(options, (coordinator) => coordinator.releases());
  const lines = releases.map(
    ({ run, planName, ordinal, model, parameters, sites }) =>
      `${run}  "${planName}" (${ordinal}. run)  model ${model.slice(0, 16)}…, ${parameters} parameters, of ${sites.join(', ')}`,
  );
  return { json: { models: releases }, text: lines.length === 0 ? 'No model has been released yet.' : lines.join('\n') };
}

async function takeModel(run: string, options: ModelOptions & { out: string }) {
  await loadCrypto();
  const own = ownedModel(run, options.data);
  const model = own ?? (await withCoordinator(options, async (coordinator) => coordinator.download(await coordinator.releases(), run)));
  // TensorFlow.js takes a second to start, and no other command of this file needs it.
  const { exportLayersModel, initBackend } = await import('@coferment/learning');
  await initBackend('cpu');
  await exportLayersModel(model.plan, model.values, model.normalisation, options.out);
  const file = writeModelFile(options.out, model);
  const from = own === undefined ? 'downloaded, and compared with the ledger' : "from this site's own computation";
  return {
    json: { run, model: model.digest, round: model.round, parameters: model.values.length, own: own !== undefined, out: options.out, file },
    text: `Model ${model.digest} of ${run} (after round ${model.round}; ${from}) is in ${options.out}. Apply it: coferment-agent predict --model ${file} …`,
  };
}

function ownedModel(run: string, folder: string): KeptModel | undefined {
  readMembership(folder);
  const journal = Journal.open(join(folder, 'journal.sqlite'));
  try {
    return ownModel(journal, new ObjectCache(join(folder, 'objects')), run);
  } finally {
    journal.close();
  }
}

interface Coordinator {
  releases(): Promise<Release[]>;
  download(releases: readonly Release[], run: string): Promise<KeptModel>;
}

async function withCoordinator<T>(options: ModelOptions, work: (coordinator: Coordinator) => Promise<T>): Promise<T> {
  mapProxyVariables(process.env);
  await loadCrypto();
  const member = readMembership(options.data);
  if (options.passphraseFile === undefined)
    throw new AgentError(
      'missing-passphrase',
      'The coordinator is called with the key of this site: say where its passphrase is, with --passphrase-file FILE.',
    );
  const store = KeyStore.open(join(options.data, 'keys'), readPassphrase(options.passphraseFile));
  const client = new WireClient(endpointOf(member), readTlsCredential(store));
  try {
    return await work(coordinatorOf(client, member));
  } finally {
    client.close();
  }
}

function coordinatorOf(client: WireClient, { consortium, operatorKey }: Membership): Coordinator {
  const source = { consortium, operatorKey: hexToBytes(operatorKey), port: client, progress: tellProgress };
  return {
    releases: () => readReleases(source),
    download: (releases, run) => {
      const release = releases.find((candidate) => candidate.run === run);
      if (release === undefined)
        throw new AgentError(
          'no-model',
          `No model of run "${run}" has been released. Released are: ${releases.length === 0 ? 'none' : releases.map((other) => other.run).join(', ')}.`,
        );
      return downloadModel(client, release);
    },
  };
}

function tellProgress(entries: number): void {
  if (entries % TOLD_EVERY === 0) process.stderr.write(`Reading the ledger: ${entries} entries so far\n`);
}
