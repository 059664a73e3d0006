import { setTimeout as sleep } from 'node:timers/promises';
import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js';
import { AgentError } from '../agent.error.js';
import { askedToWaitMs, fromServiceError } from './coordinator.errors.js';

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

export interface CallLimits {
  /** Named in messages. */
  what: string;
  deadlineMs: number;
  signal?: AbortSignal;
}

/**
 * One request, one response, always with a deadline: a call without one would hang for ever behind a silent firewall. Where the coordinator asks to be left alone
 * for a while, the call is made again after it, if that is within the deadline.
 */
export async function unary<Request, Response>(
  method: UnaryMethod<Request, Response>,
  request: Request,
  limits: CallLimits,
): Promise<Response> {
  const endMs = Date.now() + limits.deadlineMs;
  for (;;) {
    try {
      return await once(method, request, { ...limits, deadlineMs: endMs - Date.now() });
    } catch (error) {
      const waitMs = jittered(askedToWaitMs(error));
      if (waitMs === 0 || Date.now() + waitMs >= endMs) throw error;
      await sleep(waitMs, undefined, limits.signal === undefined ? {} : { signal: limits.signal }).catch(() => undefined);
    }
  }
}

/** Never shorter; up to a tenth is added, so that sites that were sent away together do not come back in step. */
function jittered(ms: number): number {
  return Math.ceil(ms * (1 + Math.random() / 10));
}

function once<Request, Response>(method: UnaryMethod<Request, Response>, request: Request, limits: CallLimits): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (limits.signal?.aborted === true) {
      reject(new AgentError('unreachable', `${limits.what} was given up.`));
      return;
    }
    const cancel = () => call.cancel();
    const call = method(request, new Metadata(), { deadline: Date.now() + limits.deadlineMs }, (error, response) => {
      limits.signal?.removeEventListener('abort', cancel);
      if (error === null) resolve(response);
      else reject(fromServiceError(error, limits.what));
    });
    limits.signal?.addEventListener('abort', cancel, { once: true });
  });
}
