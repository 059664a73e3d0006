import { readFileSync, writeFileSync } from 'node:fs';
import { HELP, type BenchOptions, UsageError, readOrder } from './bench.options.js';
import { benchLedger } from './ledger/ledger.bench.js';
import { documentWithLedger, isLedgerReport } from './ledger/ledger.report.js';
import { runBench } from './measure/bench.run.js';
import { boundCells, primitiveCells, sumCells } from './report/bound.cells.js';
import { byteCells, machineText, memoryCells, noiseCells, phaseCells, roundCells } from './report/report.cells.js';
import { documentWith } from './report/report.document.js';
import { ReportFile, jsonOf } from './report/report.file.js';
import { type BenchReport, reportSchema } from './report/report.schema.js';
import { targetCells } from './report/target.cells.js';
import { textTable } from './report/text.table.js';

const USAGE = 2;

function textOf(report: BenchReport): string {
  const table = (title: string, cells: Parameters<typeof textTable>[0]): string => `${title}\n${textTable(cells)}`;
  return [
    machineText(report),
    table('Rounds (critical path: one site, the coordinator, one holder; no training)', roundCells(report)),
    table('Phases, median milliseconds', phaseCells(report)),
    table('Bytes a parameter on the wire', byteCells(report)),
    table("The coordinator's memory, MB", memoryCells(report)),
    table('Bounds', primitiveCells(report)),
    table('Distance from the bounds', boundCells(report)),
    table('Where the time of a sum goes', sumCells(report)),
    table('Noise: (max − min) / median of the phases', noiseCells(report)),
    table('Targets', targetCells(report)),
  ].join('\n\n');
}

async function measure(options: BenchOptions): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);
  const file = new ReportFile(options.out);
  const print = (): void => {
    if (file.kept !== undefined) process.stdout.write(options.json ? jsonOf(file.kept) : `${textOf(file.kept)}\n`);
  };
  const cutShort = (): void => {
    say(file.whereabouts);
    if (options.out === undefined) print();
  };
  try {
    await runBench({ options, say, keep: (report) => file.keep(report), interrupted: cutShort });
  } catch (error) {
    cutShort();
    throw error;
  }
  if (options.out !== undefined) say(file.whereabouts);
  print();
}

async function main(): Promise<void> {
  const order = readOrder(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd());
  switch (order.kind) {
    case 'help':
      process.stdout.write(HELP);
      return;
    case 'document': {
      const report: unknown = JSON.parse(readFileSync(order.report, 'utf8'));
      const document = readFileSync(order.document, 'utf8');
      const written = isLedgerReport(report) ? documentWithLedger(document, report) : documentWith(document, reportSchema.parse(report));
      writeFileSync(order.document, written);
      return;
    }
    case 'ledger':
      return benchLedger(order.options, (line) => void process.stderr.write(`bench: ${line}\n`));
    case 'measure':
      return measure(order.options);
  }
}

try {
  await main();
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n${usage ? 'See npm run bench -- --help\n' : ''}`);
  process.exitCode = usage ? USAGE : 1;
}
