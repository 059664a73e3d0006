import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { readFolder } from '../export/index.js';
import { WebReader, isWebAddress } from '../http/index.js';
import type { ReadFile } from '../tiles/index.js';
import { programVersion } from './program.version.js';

export interface WebFlags {
  ca?: string;
}

/** A ledger that a person pointed at: a folder, or the address under which it is served. */
export interface LedgerTarget {
  readonly read: ReadFile;
  /** Ends the connections, if there are any. */
  close(): Promise<void>;
}

/** The options of every command that reads a ledger from a web server. */
export function webOptions(command: Command): Command {
  return command.option(
    '--ca <file>',
    'authorities (PEM) to believe in place of the usual ones, for a server with a certificate of its own company',
  );
}

/** @throws Error for a person to read */
export async function readerOf(target: string, flags: WebFlags = {}): Promise<LedgerTarget> {
  if (isWebAddress(target)) return webReaderOf(target, flags);
  await requireFolder(target, ', or a URL');
  return { read: readFolder(target), close: async () => {} };
}

export async function webReaderOf(address: string, { ca }: WebFlags): Promise<WebReader> {
  const userAgent = `coferment-audit/${programVersion()}`;
  return new WebReader(address, { userAgent, ...(ca === undefined ? {} : { ca: await readFile(ca, 'utf8') }) });
}

/** @throws Error for a person to read */
export async function requireFolder(path: string, otherwise = ''): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) throw new Error(`"${path}" is not a folder; give the folder of an exported ledger${otherwise}`);
}
