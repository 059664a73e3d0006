import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js';
import { AgentError } from '../agent.error.js';
import { fromServiceError } from './coordinator.errors.js';

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

/** One request, one response, always with a deadline: a call without one would hang for ever behind a silent firewall. */
export function unary<Request, Response>(method: UnaryMethod<Request, Response>, request: Request, limits: CallLimits): Promise<Response> {
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
