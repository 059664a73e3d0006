import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { AccountBook, type LedgerAccount, parseOpenings } from '../account/index.js';
import { type VerificationReport, verifyExport } from '../verify/index.js';
import { DOES_NOT_HOLD, type Output, exitCodes } from './audit.output.js';
import { type KeyFlags, keyOptions, readKeys } from './key.options.js';
import { type WebFlags, readerOf, webOptions } from './ledger.target.js';

const PROGRESS_EVERY_MS = 2000;

export interface AccountFlags extends KeyFlags, WebFlags {
  opening?: string[];
}

/** What a ledger says, and whether it may be believed: never the one without the other. */
export interface VerifiedAccount {
  readonly verification: VerificationReport;
  readonly account: LedgerAccount;
}

/** The options of every command that tells what stands in a ledger. */
export function accountOptions(command: Command): Command {
  return webOptions(keyOptions(command))
    .argument('<ledger>', 'a folder (checkpoint, tile/, payloads/), or the URL under which the ledger is served')
    .option('--opening <file...>', 'files with which sites have opened numbers to you that are under a commitment in the ledger');
}

/** Verifies while it reads. @throws Error or LedgerError for a person to read */
export async function readAccount(target: string, flags: AccountFlags, { err }: Output): Promise<VerifiedAccount> {
  const keys = await readKeys(flags);
  const openings = await Promise.all((flags.opening ?? []).map(readOpenings));
  const book = new AccountBook(openings.flat());
  let told = Date.now();
  let statements = 0;
  const ledger = await readerOf(target, flags);
  try {
    const verification = await verifyExport(ledger.read, {
      ...keys,
      onStatement: (statement) => {
        book.follow(statement);
        statements++;
        if (Date.now() - told < PROGRESS_EVERY_MS) return;
        told = Date.now();
        err(`${statements} statements verified\n`);
      },
    });
    return { verification: ledger.told(verification), account: book.account() };
  } finally {
    await ledger.close();
  }
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
