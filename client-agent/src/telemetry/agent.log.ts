import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { privateFile } from '../keys/private.file.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A file of the data folder, or standard output for a service manager that keeps and rotates it. */
export const LOG_PLACES = ['file', 'stdout'] as const;
export type LogPlace = (typeof LOG_PLACES)[number];

/** What may stand in a line, by name: what an event carries besides does not get in. All of it is text or a number, and none of it a record, a vector or a key. */
const FIELDS = new Set([
  'event',
  'run',
  'round',
  'sum',
  'attempt',
  'kind',
  'rows',
  'holdoutRows',
  'trainLoss',
  'saturated',
  'model',
  'plan',
  'status',
  'name',
  'bytes',
  'digest',
  'reason',
  'whatToDo',
  'code',
  'message',
  'size',
  'id',
  'witnesses',
  'until',
  'authorities',
]);
const LONGEST_VALUE = 2000;
/** Of lines that could not be written yet. */
const KEPT_LOG_BYTES = 1_048_576;

/** Takes what {@link pino} is given: a line of closed fields. */
export type AgentLog = Pick<Logger, 'info' | 'warn'>;

/**
 * JSON lines of one site, written at once. The file is opened for appending: what empties it in place (logrotate's copytruncate) leaves no hole, and nobody has to be
 * told.
 */
export function openAgentLog(
  folder: string,
  site: string,
  { log = 'file', logLevel = 'info' }: { log?: LogPlace; logLevel?: LogLevel },
): Logger {
  const path = join(folder, 'agent.log');
  if (log === 'file') privateFile(path);
  const dest = log === 'stdout' ? 1 : path;
  const formatters = { log: closed };
  const destination = pino.destination({ dest, append: true, sync: true, maxLength: KEPT_LOG_BYTES });
  // A disk that takes no more costs lines: an agent that ends because it cannot write down why would be worse.
  destination.on('error', () => undefined);
  return pino({ level: logLevel, base: { site }, formatters }, destination);
}

function closed(line: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(line).flatMap(([name, value]): [string, unknown][] => {
      if (!FIELDS.has(name)) return [];
      if (typeof value === 'string') return [[name, value.length <= LONGEST_VALUE ? value : `${value.slice(0, LONGEST_VALUE)}…`]];
      return typeof value === 'number' || value === null ? [[name, value]] : [];
    }),
  );
}
