import type { Logger } from 'pino';
import { LogRepeats } from './log.repeats.js';

/** What may stand in a log line: names, numbers and codes. There is no field for bytes, so no payload, key or sample can get in. */
export interface LogFields {
  run?: string;
  site?: string;
  sum?: number;
  round?: number;
  state?: string;
  method?: string;
  code?: string;
  durationMs?: number;
  address?: string;
}

/** By name, so that an object which carries more than it should loses the rest here. */
const FIELDS = ['run', 'site', 'sum', 'round', 'state', 'method', 'code', 'durationMs', 'address'] as const satisfies (keyof LogFields)[];

const LONGEST_VALUE = 300;
const LONGEST_MESSAGE = 1000;
const LONGEST_STACK = 4000;
const DEEPEST_CAUSE = 3;

/** JSON lines, written at once: after a crash the last line is what happened last. */
export class Log {
  readonly #repeats: LogRepeats;

  constructor(
    private readonly logger: Logger,
    now: () => number = Date.now,
  ) {
    this.#repeats = new LogRepeats(now);
  }

  /** What happens so often that nobody wants it in usual operation. */
  debug(message: string, fields: LogFields = {}): void {
    if (this.logger.isLevelEnabled('debug')) this.logger.debug(closed(fields), cut(message, LONGEST_MESSAGE));
  }

  info(message: string, fields: LogFields = {}): void {
    this.logger.info(closed(fields), cut(message, LONGEST_MESSAGE));
  }

  /** As {@link info}, for what a stranger can cause as often as it likes: the same line is written once a minute, with how often it came. */
  infoOnce(message: string, fields: LogFields = {}): void {
    this.#once('info', message, fields, '');
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#once('warn', message, fields, '');
  }

  /** For faults of the coordinator itself. Only name, message and stack of the error and of its causes are written. */
  error(message: string, error: unknown, fields: LogFields = {}): void {
    const err = describedError(error, 0);
    this.#once('error', message, fields, err.message, { err });
  }

  #once(level: 'info' | 'warn' | 'error', message: string, fields: LogFields, about: string, more: object = {}): void {
    const { durationMs: _, ...kept } = closed(fields);
    const times = this.#repeats.next(JSON.stringify([level, message, kept, about]));
    if (times === undefined) return;
    this.logger[level]({ ...closed(fields), ...(times > 1 ? { times } : {}), ...more }, cut(message, LONGEST_MESSAGE));
  }
}

function closed(fields: LogFields): LogFields {
  return Object.fromEntries(
    FIELDS.flatMap((name): [string, string | number][] => {
      const value = fields[name];
      if (typeof value === 'string') return [[name, cut(value, LONGEST_VALUE)]];
      return typeof value === 'number' ? [[name, value]] : [];
    }),
  );
}

interface DescribedError {
  type: string;
  message: string;
  stack: string;
  cause?: DescribedError;
}

/**
 * Not the library's own form, which writes down every property: a failed query carries its parameters, which are what sites have signed and sent. The parser of JSON
 * quotes what it read, so of that only the kind is told.
 */
function describedError(error: unknown, depth: number): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: cut(String(error), LONGEST_MESSAGE), stack: '' };
  const { name, cause } = error;
  const isQuoting = error instanceof SyntaxError;
  const message = isQuoting ? 'malformed text' : error.message;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    type: name,
    message: cut(message, LONGEST_MESSAGE),
    stack: cut(frames.join('\n'), LONGEST_STACK),
    ...(cause === undefined || depth >= DEEPEST_CAUSE ? {} : { cause: describedError(cause, depth + 1) }),
  };
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}
