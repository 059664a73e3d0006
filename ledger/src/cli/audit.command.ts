import { Command } from 'commander';
import { COULD_NOT_CHECK, type Conclude, HOLDS, type Output, guardedOutput } from './audit.output.js';
import { shownText } from '../report/index.js';
import { addEvidence } from './evidence.command.js';
import { addFetch } from './fetch.command.js';
import { programVersion } from './program.version.js';
import { addPseudonym } from './pseudonym.command.js';
import { addReport } from './report.command.js';
import { addShow } from './show.command.js';
import { addRecompute } from './recompute.command.js';
import { addReceipt } from './receipt.command.js';
import { addVerify } from './verify.command.js';
import { addWitness } from './witness.command.js';

/**
 * Runs the command with the words behind its name.
 * @returns the exit code: 0 holds, 1 does not hold, 2 could not be checked (also: wrong use)
 */
export async function runAudit(words: readonly string[], output: Output): Promise<number> {
  let exitCode = COULD_NOT_CHECK;
  const program = auditProgram(output, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    // Commander has already printed what it throws: help (exit code 0) or wrong use.
    if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? HOLDS : COULD_NOT_CHECK;
    output.err(`coferment-audit: could not check: ${shownText((error as Error).message)}\n`);
    return COULD_NOT_CHECK;
  }
  return exitCode;
}

/** `coferment-audit` with all its commands, which conclude with an exit code. @throws CommanderError from parsing: wrong use, or help */
export function auditProgram(screen: Output, conclude: Conclude): Command {
  const output = guardedOutput(screen);
  const program = new Command('coferment-audit')
    .description(
      'Fetches and checks a contribution ledger. It needs no account, no trust in whoever serves or exports it, and a network only for "fetch" and "witness".',
    )
    .version(programVersion(), '--version', 'print the version')
    .configureOutput({ writeOut: output.out, writeErr: output.err })
    .exitOverride();
  addVerify(program, output, conclude);
  addFetch(program, output, conclude);
  addShow(program, output, conclude);
  addReceipt(program, output, conclude);
  addRecompute(program, output, conclude);
  addReport(program, output, conclude);
  addWitness(program, output, conclude);
  addEvidence(program, output, conclude);
  addPseudonym(program, output, conclude);
  return program;
}
