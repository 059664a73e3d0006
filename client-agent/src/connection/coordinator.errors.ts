import { type ServiceError, status } from '@grpc/grpc-js';
import { AgentError, type AgentErrorCode } from '../agent.error.js';
import { printable } from '../printable.text.js';

/** Name of the trailing metadata that carries the coordinator's own error code. */
const CODE_FIELD = 'coferment-code';
/** Name of the trailing metadata that says after how long the same call may be made again. */
const RETRY_AFTER_FIELD = 'coferment-retry-after-ms';
/** A coordinator cannot send a site away for longer: it is asked again then, and says so again. */
const LONGEST_RETRY_MS = 300_000;

/** Answers that mean "try again later" and nothing about the request. */
const TRANSIENT = new Set<number>([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED, status.RESOURCE_EXHAUSTED]);

/**
 * A refusal of the coordinator, with its code and text. `refusal` is kept because a handler may know what to do: `run-over` and
 * `not-owed` are normal after a restart.
 */
export class CoordinatorRefusal extends AgentError {
  /** 0 where trying again later would not help. */
  readonly retryAfterMs: number;

  constructor(
    readonly refusal: string,
    code: AgentErrorCode,
    message: string,
    { retryAfterMs = 0, ...options }: ErrorOptions & { retryAfterMs?: number } = {},
  ) {
    super(code, message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

/** How long the coordinator asked to be left alone, in milliseconds; 0 where it did not. */
export function askedToWaitMs(error: unknown): number {
  return error instanceof CoordinatorRefusal ? error.retryAfterMs : 0;
}

/** What is not a time is none: it comes from the coordinator. */
function retryAfterOf(error: ServiceError): number {
  const text = error.metadata?.get(RETRY_AFTER_FIELD)[0]?.toString() ?? '';
  return /^[0-9]{1,12}$/.test(text) ? Math.min(Number(text), LONGEST_RETRY_MS) : 0;
}

/** Maps what grpc-js reports. Texts of the coordinator are cut: they are shown to people, never interpreted. */
export function fromServiceError(error: ServiceError, what: string): AgentError {
  const refusal = error.metadata?.get(CODE_FIELD)[0]?.toString() ?? '';
  const text = printable(error.details || error.message);
  if (refusal === '') {
    if (TRANSIENT.has(error.code))
      return new AgentError('unreachable', `${what}: the coordinator does not answer (${text}).`, { cause: error });
    if (error.code === status.UNAUTHENTICATED) return new AgentError('certificate-refused', certificateText(text), { cause: error });
    return new AgentError('coordinator-refused', `${what} was refused: ${text}`, { cause: error });
  }
  const retryAfterMs = retryAfterOf(error);
  return new CoordinatorRefusal(refusal, agentCode(refusal, retryAfterMs), refusalText(refusal, what, text), {
    cause: error,
    retryAfterMs,
  });
}

function agentCode(refusal: string, retryAfterMs: number): AgentErrorCode {
  switch (refusal) {
    case 'version-mismatch':
      return 'version-mismatch';
    case 'clock-off':
      return 'clock-off';
    case 'unauthenticated':
      return 'certificate-refused';
    case 'internal':
    // Its database or disk is away, or it is stopping: the same request is sent again later.
    case 'unavailable':
    case 'storage-full':
    case 'storage-failed':
    case 'stopping':
    case 'unreachable':
      return 'unreachable';
    default:
      // Later the same call may be answered: for now it is as if nobody had.
      return retryAfterMs > 0 ? 'unreachable' : 'coordinator-refused';
  }
}

function refusalText(refusal: string, what: string, text: string): string {
  switch (refusal) {
    case 'version-mismatch':
      return `This agent and the coordinator speak different versions: ${text} Install the agent version that the operator names.`;
    case 'clock-off':
      return `The clock of this machine is too far from the coordinator's: ${text} Switch on time synchronisation (NTP), then start again.`;
    case 'invite-used':
    case 'invite-expired':
    case 'invite-unknown':
      return `The invite was refused: ${text} Ask the operator for a new invite; nothing was changed here.`;
    case 'site-left':
      return `This site has left the consortium: ${text} Nothing more is sent.`;
    case 'site-revoked':
      return `The operator has revoked this site: ${text} Nothing more is sent. Ask the operator.`;
    case 'unavailable':
    case 'storage-full':
    case 'storage-failed':
    case 'stopping':
      return `${what}: ${text} This site tries again by itself.`;
    case 'unauthenticated':
      return certificateText(text);
    case 'too-many':
      return `${what}: the coordinator asks this site to slow down. ${text}`;
    default:
      return `${what} was refused (${refusal}): ${text}`;
  }
}

function certificateText(text: string): string {
  return `The coordinator does not accept this site's certificate: ${text} It is renewed on its own; if this stays, ask the operator whether the site is still enrolled.`;
}
