import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { isGood, mergeParts, readParts, textOf } from './fault.report.ts';

const USAGE = `npm run test:faults -- [--seeds N] [--first N] [--out FILE]

Stops every role of a consortium before and after every transition of its tables, and then checks the invariants of docs/reliability.md.

  --seeds N   also play N random schedules of real processes (default 20; 0: the matrix only)
  --first N   begin with this seed (default 1); one schedule again: --seeds 1 --first 17
  --out FILE  write the report as JSON

Example: npm run test:faults -- --seeds 20 --out faults.json

Exit code: 0 everything was reached and held, 1 otherwise, 2 for a wrong option.`;

const MOST_SEEDS = 100_000;

interface Options {
  seeds: number;
  first: number;
  out: string | undefined;
  help: boolean;
}

function optionsOf(given: string[]): Options {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: given, options: { seeds: text, first: text, out: text, help: { type: 'boolean' } } });
  const { seeds = '20', first = '1', out, help = false } = values;
  return { seeds: wholeNumber('--seeds', seeds), first: wholeNumber('--first', first), out, help };
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > MOST_SEEDS)
    throw new Error(`${option} takes a whole number from 0 to ${MOST_SEEDS}, not "${text}".`);
  return Number(text);
}

/** Runs the tests with their progress on this terminal. Resolves with their exit code. */
function runTests({ seeds, first }: Options, folder: string): Promise<number> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', '--project', 'faults'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, FAULT_SEEDS: String(seeds), FAULT_FIRST: String(first), FAULT_OUT: folder },
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  const { out } = options;
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'coferment-faults-'));
  try {
    const code = await runTests(options, folder);
    const report = mergeParts(readParts(folder));
    if (out !== undefined) writeFileSync(out, `${JSON.stringify(report, null, 2)}\n`);
    console.log(textOf(report));
    if (code !== 0) console.error('A test failed: see above. The report counts only what the tests could write.');
    return code === 0 && isGood(report) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}
