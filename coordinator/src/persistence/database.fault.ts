import { CoordinatorError } from '../errors/index.js';

/** gone: no answer or no connection. slow: an answer took too long. full: no room. read-only: a standby, or set so. busy: two changes met. */
export type DatabaseFault = 'gone' | 'slow' | 'full' | 'read-only' | 'busy';

/** SQLSTATEs, https://www.postgresql.org/docs/current/errcodes-appendix.html; a class is its first two characters. */
const SQLSTATES: Readonly<Record<string, DatabaseFault>> = {
  '08': 'gone',
  '57P01': 'gone',
  '57P02': 'gone',
  '57P03': 'gone',
  '53300': 'gone',
  '58030': 'gone',
  '57014': 'slow',
  '55P03': 'slow',
  '25P03': 'slow',
  '53100': 'full',
  '25006': 'read-only',
  '40001': 'busy',
  '40P01': 'busy',
};

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** What the driver says without a code. */
const GONE_WORDS =
  /Connection terminated|connection error|not queryable|timeout exceeded when trying to connect|Driver not Connected|Cannot use a pool after calling end|Client was closed/i;

/** Which fault of the database an error of a transaction is; undefined when the statement itself was wrong. */
export function databaseFaultOf(error: unknown): DatabaseFault | undefined {
  if (error instanceof CoordinatorError || !(error instanceof Error)) return undefined;
  // Of several addresses of one server, each has an error of its own.
  if (error instanceof AggregateError) return error.errors.map(databaseFaultOf).find((fault) => fault !== undefined);
  const { code, driverError } = error as { code?: unknown; driverError?: unknown };
  if (driverError instanceof Error && driverError !== error) return databaseFaultOf(driverError);
  // The embedded one reports it as a fault of its own, with the words of the operating system.
  if (/No space left on device/i.test(error.message)) return 'full';
  if (typeof code === 'string') {
    const known = SQLSTATES[code] ?? (code.length === 5 ? SQLSTATES[code.slice(0, 2)] : undefined);
    if (known !== undefined) return known;
    if (NETWORK.has(code)) return 'gone';
  }
  return GONE_WORDS.test(error.message) ? 'gone' : undefined;
}

const WHAT: Readonly<Record<DatabaseFault, string>> = {
  gone: 'The database of the coordinator does not answer.',
  slow: 'The database of the coordinator takes too long to answer.',
  full: 'The database of the coordinator has no room left.',
  'read-only': 'The database of the coordinator takes no changes (it is read-only).',
  busy: 'Two changes met in the database of the coordinator, and this one was taken back.',
};

/**
 * What a caller is told. Whether a change that was on its way has been made is not known then: every act can be sent again, and the same one is stored once.
 */
export function databaseRefusal(fault: DatabaseFault, cause: unknown): CoordinatorError {
  return new CoordinatorError(
    fault === 'full' ? 'storage-full' : 'unavailable',
    `${WHAT[fault]} Try again later: nothing that was confirmed is lost, and the coordinator goes on by itself.`,
    { cause },
  );
}
