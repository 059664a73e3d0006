import { join } from 'node:path';
import { loadCrypto, type SecretFlags } from '@coferment/crypto';
import { backendInUse, type BackendName } from '@coferment/learning';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { AgentError } from '../agent.error.js';
import { ObjectCache } from '../connection/object.cache.js';
import { readMembership } from '../enrolment/membership.file.js';
import { Journal } from '../journal/journal.js';
import { KeyStore } from '../keys/key.store.js';
import { openSiteIdentity } from '../keys/site.identity.js';
import { readSecret } from '../keys/store.secret.js';
import { printableLines } from '../printable.text.js';
import { gatherMaterial, reproduce, type Reproduction, type Wanted } from '../reproduce/update.reproduction.js';
import { SiteTrainer } from '../training/site.trainer.js';
import { fail } from './command.output.js';
import { secretOptions } from './secret.options.js';

interface ReproduceOptions extends SecretFlags {
  data: string;
  run: string;
  round?: number;
  sum?: number;
  mapping: string;
  records: string;
  backend?: BackendName;
  json?: boolean;
}

const DIFFERS = 1;
const COULD_NOT_CHECK = 2;

export function addReproduceCommand(program: Command): void {
  secretOptions(program.command('reproduce'))
    .description('Make the update of a past round again from the records, and compare it with the record bit for bit; nothing is sent')
    .requiredOption('--data <dir>', 'data folder of this site')
    .requiredOption('--run <run>', 'run of the update')
    .addOption(new Option('--round <n>', 'training round of the update').argParser(readNumber).conflicts('sum'))
    .option('--sum <n>', 'any sum instead: also statistics and evaluation', readNumber)
    .requiredOption('--mapping <file>', "mapping file of this site's records")
    .requiredOption('--records <dir>', 'folder that the mapping reads from')
    .addOption(new Option('--backend <name>', 'what training computes with; default: what it was').choices(['wasm', 'cpu', 'tensorflow']))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Exit code: 0 it is the same to the last bit, 1 it differs, 2 it could not be made again.

Example:
  coferment-agent reproduce --run r1-0123456789abcdef --round 3 --data /var/lib/coferment --mapping mapping.yaml --records /data/batches --passphrase-file /etc/coferment/passphrase`,
    )
    .action(async (options: ReproduceOptions) => {
      try {
        const found = await run(options);
        process.stdout.write(options.json === true ? `${JSON.stringify(found)}\n` : `${printableLines(describe(found))}\n`);
        process.exitCode = found.matches ? 0 : DIFFERS;
      } catch (error) {
        fail(options, error);
        process.exitCode = COULD_NOT_CHECK;
      }
    });
}

async function run(options: ReproduceOptions): Promise<Reproduction> {
  readMembership(options.data);
  const wanted = wantedOf(options);
  await loadCrypto();
  const store = KeyStore.open(join(options.data, 'keys'), await readSecret(options));
  const { identity, trainingSeed } = openSiteIdentity(store);
  const journal = Journal.open(join(options.data, 'journal.sqlite'), { identity, vault: store });
  try {
    const material = gatherMaterial(journal, new ObjectCache(join(options.data, 'objects')), wanted);
    const then = material.trained.backend;
    const backend = options.backend ?? (then === 'none' ? 'cpu' : then);
    process.stderr.write(`Making sum ${material.trained.from.sum} of ${options.run} again with ${backend}…\n`);
    const trainer = await SiteTrainer.start({ mappingFile: options.mapping, dataDir: options.records }, trainingSeed, backend);
    return await reproduce(material, trainer, backendInUse());
  } finally {
    journal.close();
  }
}

function wantedOf({ run: name, round, sum }: ReproduceOptions): Wanted {
  if (sum !== undefined) return { run: name, sum };
  if (round !== undefined) return { run: name, round };
  throw new AgentError('no-model', 'Say which update is meant: --round N, or --sum N for statistics and evaluations.');
}

function describe({ run: name, round, sum, kind, matches, samples, alike, differs, reasons }: Reproduction): string {
  const what = kind === 'update' ? `The update of round ${round}` : `The ${kind} vector of sum ${sum}`;
  return [
    matches
      ? `${what} of ${name} was made again from ${samples} rows: it is the same to the last bit.`
      : `${what} of ${name} was made again from ${samples} rows: it is NOT the same.`,
    ...differs.map((line) => `  ✗ differs: ${line}`),
    ...alike.map((line) => `  same: ${line}`),
    ...reasons.map((line) => `  → ${line}`),
  ].join('\n');
}

function readNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
}
