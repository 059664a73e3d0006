import { type Logger, pino } from 'pino';
import type { Settings } from '../settings.js';
import type { LogFile } from './log.file.js';

/**
 * Where log lines go, at once and not through a buffer. The file is opened for appending: what empties it in place (logrotate's copytruncate) leaves no hole, and
 * nobody has to be told.
 */
export function openLog({ log = 'file', logLevel = 'info' }: Pick<Settings, 'log' | 'logLevel'>, file: LogFile): Logger {
  const destination = log === 'stdout' ? pino.destination({ dest: 1, sync: true }) : file;
  // An error comes here already described: the library's own form would add every property that it carries.
  const serializers = { err: (described: unknown) => described };
  return pino({ level: logLevel, base: { pid: process.pid }, serializers }, destination);
}
