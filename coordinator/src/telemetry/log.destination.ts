import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import type { Settings } from '../settings.js';

/**
 * Where log lines go, at once and not through a buffer. The file is opened for appending: what empties it in place (logrotate's copytruncate) leaves no hole, and
 * nobody has to be told.
 */
export function openLog({ folder, log = 'file', logLevel = 'info' }: Pick<Settings, 'folder' | 'log' | 'logLevel'>): Logger {
  const dest = log === 'stdout' ? 1 : join(folder, 'coordinator.log');
  // An error comes here already described: the library's own form would add every property that it carries.
  const serializers = { err: (described: unknown) => described };
  return pino({ level: logLevel, base: { pid: process.pid }, serializers }, pino.destination({ dest, append: true, sync: true }));
}
