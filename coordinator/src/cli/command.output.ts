import { ConsortiumBudgetError, ConsortiumError } from '@coferment/consortium';
import { LedgerError } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';
import { EXIT } from './exit.codes.js';
import { coloursOf } from './terminal.colours.js';

const pc = coloursOf(2);
/** For developers. */
const STACK_VARIABLE = 'COFERMENT_STACK';

/** One JSON value a line for programs, plain text for people. */
export class CommandOutput {
  constructor(private readonly json: boolean) {}

  /** @param text for people, who see it instead of the value */
  result(value: unknown, text: string): void {
    process.stdout.write(`${this.json ? JSON.stringify(value) : text}\n`);
  }

  /** Says what went wrong and sets the exit code. */
  failure(error: unknown): void {
    const { code, message } = describeFailure(error);
    if (this.json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
    process.stderr.write(`${pc.red('error')} ${message}\n`);
    if (code === 'internal' && error instanceof Error && process.env[STACK_VARIABLE] === '1') process.stderr.write(`${error.stack}\n`);
    process.exitCode = EXIT.failed;
  }
}

/** What people and programs are told. What no rule of ours has refused says what it is about, and nothing of where in the program. */
export function describeFailure(error: unknown): { code: string; message: string } {
  const refusals = [CoordinatorError, ConsortiumError, ConsortiumBudgetError, LedgerError];
  const refusal = refusals.some((kind) => error instanceof kind) ? (error as CoordinatorError | ConsortiumError | LedgerError) : undefined;
  if (refusal !== undefined) return { code: refusal.code, message: refusal.message };
  // Several addresses that all failed: the first says as much as all of them.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const text = first instanceof Error ? first.message : String(first);
  const message =
    first instanceof Error && 'syscall' in first
      ? `The system refused: ${text}. Check that path or address, its rights, and the room on the disk.`
      : `The command failed where it should not: ${text}. Tell the makers; with ${STACK_VARIABLE}=1 in its environment it says where.`;
  return { code: 'internal', message };
}
