import { ConsortiumBudgetError, ConsortiumError } from '@coferment/consortium';
import { CoordinatorError } from '../errors/index.js';
import { EXIT } from './exit.codes.js';
import { coloursOf } from './terminal.colours.js';

const pc = coloursOf(2);

/** One JSON value a line for programs, plain text for people. */
export class CommandOutput {
  constructor(private readonly json: boolean) {}

  /** @param text for people, who see it instead of the value */
  result(value: unknown, text: string): void {
    process.stdout.write(`${this.json ? JSON.stringify(value) : text}\n`);
  }

  /** Says what went wrong and sets the exit code. */
  failure(error: unknown): void {
    const { code, message } = described(error);
    if (this.json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
    process.stderr.write(`${pc.red('error')} ${message}\n`);
    process.exitCode = EXIT.failed;
  }
}

function described(error: unknown): { code: string; message: string } {
  if (error instanceof CoordinatorError || error instanceof ConsortiumError || error instanceof ConsortiumBudgetError) {
    return { code: error.code, message: error.message };
  }
  return { code: 'internal', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
