import type { Logger } from 'pino';

/** What may stand in a log line: names, numbers and codes. There is no field for bytes, so no payload, key or sample can get in. */
export interface LogFields {
  run?: string;
  site?: string;
  sum?: number;
  state?: string;
  method?: string;
  code?: string;
  durationMs?: number;
  address?: string;
}

/** JSON lines, written at once: after a crash the last line is what happened last. */
export class Log {
  constructor(private readonly logger: Logger) {}

  info(message: string, fields: LogFields = {}): void {
    this.logger.info(fields, message);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.logger.warn(fields, message);
  }

  /** For faults of the coordinator itself. Only name, message and stack of the error are written. */
  error(message: string, error: unknown, fields: LogFields = {}): void {
    this.logger.error({ ...fields, err: error instanceof Error ? error : new Error(String(error)) }, message);
  }
}
