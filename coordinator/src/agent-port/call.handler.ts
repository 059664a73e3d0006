import type { ServerUnaryCall, handleUnaryCall } from '@grpc/grpc-js';
import type { CoordinatorErrorCode } from '../errors/index.js';
import { type Caller, readCaller } from './caller.js';
import { refusalOf, statusOf } from './error.status.js';

export interface CallContext {
  caller: Caller;
  /** Aborts when the caller has gone. */
  signal: AbortSignal;
}

/** Told of every error that no refusal explains. */
export type FaultListener = (method: string, error: unknown) => void;
const OWN_FAULTS: ReadonlySet<CoordinatorErrorCode> = new Set(['internal', 'storage-full', 'storage-failed', 'unavailable']);
let reportFault: FaultListener = () => {};

export function onFault(listener: FaultListener): void {
  reportFault = listener;
}

/** Turns an async function into a unary handler: its error becomes a status with a closed code. */
export function unary<Request, Response>(
  work: (request: Request, context: CallContext) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call: ServerUnaryCall<Request, Response>, callback) => {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    work(call.request, { caller: readCaller(call.metadata), signal: gone.signal }).then(
      (response) => callback(null, response),
      (error: unknown) => callback(failed(call.getPath(), error)),
    );
  };
}

/** The status for an error, after telling of it when it is the coordinator's own fault or one of what it stands on. */
export function failed(method: string, error: unknown): ReturnType<typeof statusOf> {
  const refusal = refusalOf(error);
  if (OWN_FAULTS.has(refusal.code)) reportFault(method, error);
  return statusOf(refusal);
}
