import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { AccountBook, type LedgerAccount, parseOpenings } from '../account/index.js';
import { readFolder } from '../export/index.js';
import { type VerificationReport, verifyExport } from '../verify/index.js';
import { DOES_NOT_HOLD, type Output, exitCodes } from './audit.output.js';
import { type KeyFlags, keyOptions, readKeys } from './key.options.js';
import { requireFolder } from './verify.command.js';

const PROGRESS_EVERY_MS = 2000;

export interface AccountFlags extends KeyFlags {
  opening?: string[];
}

/** What a ledger says, and whether it may be believed: never the one without the other. */
export interface VerifiedAccount {
  readonly verification: VerificationReport;
  readonly account: LedgerAccount;
}

/** The options of every command that tells what stands in a ledger. */
export function accountOptions(command: Command): Command {
  return keyOptions(command)
    .argument('<folder>', 'the exported ledger: checkpoint, tile/, payloads/')
    .option('--opening <file...>', 'files with which sites have opened numbers to you that are under a commitment in the ledger');
}

/** Verifies while it reads. @throws Error or LedgerError for a person to read */
export async function readAccount(folder: string, flags: AccountFlags, { err }: Output): Promise<VerifiedAccount> {
  await requireFolder(folder);
  const keys = await readKeys(flags);
  const openings = await Promise.all((flags.opening ?? []).map(readOpenings));
  const book = new AccountBook(openings.flat());
  let told = Date.now();
  let statements = 0;
  const verification = await verifyExport(readFolder(folder), {
    ...keys,
    onStatement: (statement) => {
      book.follow(statement);
      statements++;
      if (Date.now() - told < PROGRESS_EVERY_MS) return;
      told = Date.now();
      err(`${statements} statements verified\n`);
    },
  });
  return { verification, account: book.account() };
}

/** An opening that opens nothing is a claim that does not hold, like any other. */
export function exitCodeOf({ verification, account }: VerifiedAccount): number {
  return account.openings.problems.length > 0 ? DOES_NOT_HOLD : exitCodes[verification.verdict];
}

async function readOpenings(file: string) {
  const text = await readFile(file, 'utf8');
  try {
    return parseOpenings(text);
  } catch (error) {
    throw new Error(`"${file}": ${(error as Error).message}`, { cause: error });
  }
}
