import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePlan } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import type { BackendName } from '@coferment/learning';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { AgentError } from '../agent.error.js';
import { checkData, importSite, renderCheck, renderReport } from '../data/index.js';
import { readMembership } from '../enrolment/membership.file.js';
import { Journal } from '../journal/journal.js';
import { leavingItems } from '../policy/leaving.items.js';
import { type ModelSource, predictBatches, predictionCsv } from '../predict/batch.prediction.js';
import { statusReport } from '../status/status.report.js';
import { renderStatus } from '../status/status.text.js';
import { answer } from './command.output.js';

interface CheckOptions {
  mapping: string;
  records: string;
  plan?: string;
  sites: number;
  json?: boolean;
}

interface PredictOptions {
  data?: string;
  run?: string;
  model?: string;
  mapping: string;
  records: string;
  backend: BackendName;
  out?: string;
  json?: boolean;
}

export function addDataCommands(program: Command): void {
  const check = program.command('check').description('Look at this site before anything leaves it');
  check
    .command('data')
    .description('Read the records through the mapping; with a plan, show what it would use and what would leave')
    .requiredOption('--mapping <file>', "mapping file of this site's records")
    .requiredOption('--records <dir>', 'folder that the mapping reads from')
    .option('--plan <file>', 'plan file (YAML)')
    .option('--sites <n>', 'how many sites to assume for sizes', parseSites, 5)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent check data --mapping mapping.yaml --records /data/batches --plan plan.yaml')
    .action((options: CheckOptions) => answer(options, () => runCheck(options)));

  program
    .command('status')
    .description('What this site is doing, what it waits for and what to do')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent status --data /var/lib/coferment')
    .action((options: { data: string; json?: boolean }) =>
      answer(options, () => {
        const member = readMembership(options.data);
        const journal = Journal.open(join(options.data, 'journal.sqlite'));
        try {
          const report = statusReport(options.data, member, journal);
          // For whatever watches this site: it has stopped, and only a person lets it go on.
          if (report.splitViews.length > 0) process.exitCode = 1;
          return { json: report, text: renderStatus(report) };
        } finally {
          journal.close();
        }
      }),
    );

  program
    .command('predict')
    .description('Apply a model to batches of this site; nothing leaves')
    .option('--data <dir>', 'data folder of this site, with --run')
    .option('--run <run>', 'run whose latest model is used, as this site computed it')
    .option('--model <file>', 'or a model that was downloaded: coferment-model.json')
    .requiredOption('--mapping <file>', "mapping file of this site's records")
    .requiredOption('--records <dir>', 'folder that the mapping reads from')
    .option('--out <csv>', 'file to write; default: standard output')
    .addOption(new Option('--backend <name>', 'what computes').choices(['wasm', 'cpu', 'tensorflow', 'auto']).default('wasm'))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  coferment-agent predict --data /var/lib/coferment --run r1-0123456789abcdef --mapping mapping.yaml --records /data/new --out titre.csv\n  coferment-agent predict --model model/coferment-model.json --mapping mapping.yaml --records /data/new --out titre.csv',
    )
    .action((options: PredictOptions) => answer(options, () => runPredict(options)));
}

async function runCheck(options: CheckOptions) {
  const { batches, report } = await importSite({ mappingFile: options.mapping, dataDir: options.records });
  if (options.plan === undefined) return { json: report, text: renderReport(report) };
  const plan = parsePlan(readText(options.plan));
  const checked = checkData({ plan, batches, report, leaves: leavingItems(plan, options.sites) });
  return { json: checked, text: `${renderReport(report)}\n\n${renderCheck(checked)}` };
}

async function runPredict(options: PredictOptions) {
  const { mapping: mappingFile, records: recordsFolder, backend } = options;
  const source = modelSource(options);
  await loadCrypto();
  const result = await predictBatches({ source, mappingFile, recordsFolder, backend });
  const csv = predictionCsv(result);
  const { run, plan, round, predictions } = result;
  const summary = { run, round, target: plan.target.variable, rows: predictions.length, out: options.out ?? null };
  if (options.out === undefined) return { json: { ...summary, predictions }, text: csv.trimEnd() };
  writeFileSync(options.out, csv);
  return {
    json: summary,
    text: `${predictions.length} predictions of ${plan.target.variable} (model after round ${round}) are in ${options.out}.`,
  };
}

function modelSource({ data, run, model }: PredictOptions): ModelSource {
  if (model !== undefined && run === undefined) return { file: model };
  if (model !== undefined || run === undefined || data === undefined)
    throw new AgentError(
      'no-model',
      'Say which model: --run RUN with --data DIR for one of this site, or --model FILE for one that was downloaded.',
    );
  readMembership(data);
  return { folder: data, run };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AgentError('missing-file', `The file ${path} cannot be read (${(error as Error).message}). Check its path.`);
  }
}

function parseSites(text: string): number {
  const sites = Number(text);
  if (!Number.isInteger(sites) || sites < 3 || sites > 128) throw new InvalidArgumentError('It must be a whole number from 3 to 128.');
  return sites;
}
