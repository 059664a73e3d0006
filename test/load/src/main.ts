import { readFileSync, writeFileSync } from 'node:fs';
import { documentWithLoad } from './load.document.js';
import { HELP, readOrder, UsageError } from './load.options.js';
import { ruleFaults } from './load.rules.js';
import { runLoad } from './load.run.js';
import { loadReportSchema } from './load.schema.js';

const USAGE = 2;

async function main(): Promise<void> {
  const order = readOrder(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd());
  switch (order.kind) {
    case 'help':
      process.stdout.write(HELP);
      return;
    case 'document': {
      const report = loadReportSchema.parse(JSON.parse(readFileSync(order.report, 'utf8')));
      writeFileSync(order.document, documentWithLoad(readFileSync(order.document, 'utf8'), report));
      return;
    }
    case 'measure': {
      const { options } = order;
      const say = (line: string): void => void process.stderr.write(`load: ${line}\n`);
      say(`${options.agents} agents, ${options.rounds} rounds, ${options.drop * 100} % drop in each, seed ${options.seed}`);
      const report = await runLoad(options, say);
      const text = `${JSON.stringify(report, null, 2)}\n`;
      if (options.out === undefined) process.stdout.write(text);
      else writeFileSync(options.out, text);
      const faults = ruleFaults(report);
      for (const fault of faults) say(fault);
      if (faults.length > 0) process.exitCode = 1;
    }
  }
}

try {
  await main();
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(`load: ${error instanceof Error ? error.message : String(error)}\n${usage ? 'See npm run load -- --help\n' : ''}`);
  process.exitCode = usage ? USAGE : 1;
}
