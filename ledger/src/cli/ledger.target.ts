import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { objectPath, readFolder } from '../export/index.js';
import { WebReader, isWebAddress } from '../http/index.js';
import type { VerificationReport } from '../verify/index.js';
import type { ReadFile } from '../tiles/index.js';
import { programVersion } from './program.version.js';

const OBJECTS = objectPath('');

export interface WebFlags {
  ca?: string;
}

/** A ledger that a person pointed at: a folder, or the address under which it is served. */
export interface LedgerTarget {
  readonly read: ReadFile;
  /** The report as it is to be understood for this target. */
  told(report: VerificationReport): VerificationReport;
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
  if (isWebAddress(target)) {
    const server = await webReaderOf(target, flags);
    return { read: withoutObjects(server.read), told: objectsNotLookedAt, close: () => server.close() };
  }
  await requireFolder(target, ', or a URL');
  return { read: readFolder(target), told: (report) => report, close: async () => {} };
}

/** Objects may be larger than memory, and all together larger than any patience: over a network they are copied (`fetch --with-objects`), not looked at. */
function withoutObjects(read: ReadFile): ReadFile {
  return (path) => (path.startsWith(OBJECTS) ? undefined : read(path));
}

function objectsNotLookedAt(report: VerificationReport): VerificationReport {
  const detail = 'not looked at over the network; "coferment-audit fetch --with-objects" copies them, and "verify" checks the copy';
  return { ...report, checks: report.checks.map((check) => (check.id === 'objects' ? { ...check, detail } : check)) };
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
