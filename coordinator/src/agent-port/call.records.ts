import { type Metadata, status } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { Log } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import type { Caller } from './caller.js';
import { CODE_KEY } from './error.status.js';

const PREFIX = '/coferment.v1.';

/** One call, from its first byte to its status. */
export interface CallRecord {
  madeBy(caller: Caller): void;
  /** @param code as {@link codeOf}, or `cancelled`. Only the first end counts. */
  ended(code: string): void;
}

/**
 * Counts and times every call, and writes refusals into the log. A refused call costs its caller nothing, so the same one is written once a minute; calls that were
 * answered, of which polls are nearly all, are written at level debug only.
 */
@Injectable()
export class CallRecords {
  constructor(
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /** @param path of a method that exists: gRPC refuses others before anybody here hears of them, so the label is bounded */
  begin(path: string): CallRecord {
    const startedMs = performance.now();
    const method = path.startsWith(PREFIX) ? path.slice(PREFIX.length) : path;
    let site: string | undefined;
    let isOver = false;
    return {
      madeBy: (caller) => {
        site = nameOf(caller);
      },
      ended: (code) => {
        if (isOver) return;
        isOver = true;
        const durationMs = Math.round(performance.now() - startedMs);
        this.metrics.calls.inc({ method, code });
        this.metrics.callSeconds.observe({ method }, durationMs / 1000);
        const fields = { method, code, durationMs, ...(site === undefined ? {} : { site }) };
        // An internal fault has been written with its cause.
        if (code === 'ok' || code === 'cancelled' || code === 'internal') this.log.debug('a call has ended', fields);
        else this.log.infoOnce('a call was refused', fields);
      },
    };
  }
}

function nameOf(caller: Caller): string | undefined {
  switch (caller.kind) {
    case 'site':
      return caller.site;
    case 'auditor':
      return caller.auditor;
    case 'operator':
      return '@operator';
    case 'stranger':
      return undefined;
  }
}

/** `ok`, the closed code of a refusal of ours, or gRPC's own name for what it ended by itself. */
export function codeOf({ code, metadata }: { code?: status | null | undefined; metadata?: Metadata | null | undefined }): string {
  const own = metadata?.get(CODE_KEY)[0];
  if (own !== undefined) return String(own);
  return (status[code ?? status.UNKNOWN] ?? 'UNKNOWN').toLowerCase().replaceAll('_', '-');
}
