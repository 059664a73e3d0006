import { CommanderError } from 'commander';
import { describeFailure } from '../agent.error.js';
import { printableLines } from '../printable.text.js';

export interface Answer {
  /** With --json, on one line. */
  json: unknown;
  /** For a terminal. */
  text: string;
}

/** Runs a command and prints its answer; a refusal goes to stderr, and with --json to stdout too. Sets the exit code: 0 or 1. */
export async function answer(options: { json?: boolean }, work: () => Answer | Promise<Answer>): Promise<void> {
  try {
    const { json, text } = await work();
    process.stdout.write(options.json === true ? `${JSON.stringify(json)}\n` : `${printableLines(text)}\n`);
  } catch (error) {
    fail(options, error);
  }
}

export function fail(options: { json?: boolean }, error: unknown): void {
  const failure = describeFailure(error);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ error: failure })}\n`);
  process.stderr.write(`${printableLines(failure.message)}\n`);
  process.exitCode = 1;
}

/** Usage errors exit with 2; asking for help or the version is no error. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof CommanderError)) return 1;
  return error.exitCode === 0 ? 0 : 2;
}
