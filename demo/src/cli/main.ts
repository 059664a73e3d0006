import { isatty } from 'node:tty';
import { relative } from 'node:path';
import { LiveDisplay } from '../display/live.display.js';
import { nextSteps, resultsTable } from '../display/results.table.js';
import { PlainScreen, TerminalScreen } from '../display/screen.js';
import { DemoError } from '../errors/index.js';
import { ProcessGroup } from '../processes/index.js';
import { DemoRun } from '../run/demo.run.js';
import { type DemoOptions, readOptions } from './demo.options.js';

const INTERRUPTED = 130;

const options = readOptions(process.argv.slice(2), new Date(), process.cwd());
const group = new ProcessGroup();
process.on('exit', () => group.killAll());
process.exitCode = await play(options);

async function play(chosen: DemoOptions): Promise<number> {
  // With --json standard output belongs to the program that reads it.
  const stream = chosen.json ? process.stderr : process.stdout;
  // Not `stream.isTTY`: it is undefined in a pipe, and the colour library reads undefined as "find out yourself".
  const interactive = isatty(stream.fd) && process.env['TERM'] !== 'dumb';
  const colour = interactive && process.env['NO_COLOR'] === undefined;
  const display = new LiveDisplay(interactive ? new TerminalScreen(stream) : new PlainScreen(stream), { colour, now: Date.now });
  try {
    const summary = await Promise.race([new DemoRun(chosen, group, display).play(), interruption()]);
    display.phase('Every process is stopped');
    await group.stopAll();
    display.print(`\n${resultsTable(summary, colour)}\n\n${nextSteps(summary, shortPath(chosen.out))}`);
    if (chosen.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
    const { ledger, audit } = summary;
    return ledger.verified && audit.recomputedBitForBit && audit.receipt.holds ? 0 : 1;
  } catch (error) {
    await group.stopAll();
    if (!(error instanceof DemoError)) throw error;
    display.close();
    process.stderr.write(`${error.message}\n`);
    if (chosen.json) process.stdout.write(`${JSON.stringify({ error: { code: error.code, message: error.message } })}\n`);
    return error.code === 'interrupted' ? INTERRUPTED : 1;
  } finally {
    display.close();
  }
}

/** As a person would type it: relative only where that is not a climb. */
function shortPath(folder: string): string {
  const path = relative(process.cwd(), folder);
  return path === '' || path.startsWith('..') ? folder : path;
}

/** Rejects at the first signal; the second does not wait for anything. */
function interruption(): Promise<never> {
  return new Promise((_, reject) => {
    let signals = 0;
    const interrupt = (signal: NodeJS.Signals): void => {
      if (++signals > 1) process.exit(INTERRUPTED);
      reject(new DemoError('interrupted', `Stopped by ${signal}; every process of the demo is being stopped.`));
    };
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', interrupt);
    process.on('SIGHUP', interrupt);
  });
}
