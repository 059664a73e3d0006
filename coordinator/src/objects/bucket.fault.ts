import { CoordinatorError } from '../errors/index.js';

/** Why an S3-compatible store does not do what it is asked. */
export type BucketFaultKind =
  | 'no-bucket'
  | 'no-credentials'
  | 'wrong-credentials'
  | 'no-rights'
  | 'wrong-region'
  | 'clock'
  | 'unreachable'
  | 'busy'
  | 'changed-on-the-way'
  | 'full'
  | 'other';

/** What a message speaks of. */
export interface BucketPlace {
  /** `s3://bucket/prefix` */
  address: string;
  /** The URL that is called, or `the region's own endpoint`. */
  endpoint: string;
}

/** What S3 calls its refusals, by kind. Servers differ in which of them they use, so the HTTP status decides where the name is unknown. */
const CODES: ReadonlyMap<string, BucketFaultKind> = new Map(
  Object.entries({
    'no-bucket': ['NoSuchBucket', 'NotFound'],
    'no-credentials': ['CredentialsProviderError'],
    'wrong-credentials': [
      'InvalidAccessKeyId',
      'SignatureDoesNotMatch',
      'ExpiredToken',
      'InvalidToken',
      'TokenRefreshRequired',
      'NoSuchUser',
      'XAdminUserNotFound',
    ],
    'no-rights': ['AccessDenied', 'AllAccessDisabled', 'AccountProblem', 'MethodNotAllowed'],
    'wrong-region': ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException', 'TemporaryRedirect'],
    clock: ['RequestTimeTooSkewed', 'RequestExpired'],
    unreachable: ['TimeoutError', 'NetworkingError'],
    busy: ['SlowDown', 'ServiceUnavailable', 'InternalError', 'RequestTimeout', 'TooManyRequests', 'OperationAborted'],
    'changed-on-the-way': ['BadDigest', 'InvalidDigest', 'XAmzContentSHA256Mismatch', 'XAmzContentChecksumMismatch', 'IncompleteBody'],
    full: ['QuotaExceeded', 'XMinioStorageFull', 'InsufficientStorage'],
  } satisfies Partial<Record<BucketFaultKind, string[]>>).flatMap(([kind, names]) =>
    names.map((name) => [name, kind as BucketFaultKind] as const),
  ),
);

const UNREACHABLE =
  /^(E(CONN|HOST|NET|PIPE|AI_AGAIN|TIMEDOUT|NOTFOUND|PROTO|ADDR)|UND_ERR|ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/;

/** What passes by itself, or may within the next second: worth asking again before anybody is told. */
export const PASSING: ReadonlySet<BucketFaultKind> = new Set(['unreachable', 'busy', 'changed-on-the-way']);

/** The object store did not do what it was asked, for a reason outside this process. */
export class BucketFault extends CoordinatorError {
  /** @param detail for the operator: what is wrong, where, and what to do. The message goes to sites too and names no place. */
  constructor(
    readonly kind: BucketFaultKind,
    readonly detail: string,
    cause: unknown,
  ) {
    super(
      kind === 'full' ? 'storage-full' : 'storage-failed',
      `The coordinator's object store does not do what it is asked (${kind}). What was confirmed before is kept. Try again later; it goes on by itself when its operator has mended that.`,
      { cause },
    );
  }
}

/** @param error as the S3 client threw it */
export function bucketFault(error: unknown, place: BucketPlace): BucketFault {
  const { name, status, words } = factsOf(error);
  // The one refusal of the client that has no name of its own.
  const kind = /Region is missing/i.test(words) ? 'wrong-region' : (CODES.get(name) ?? kindOfStatus(status, name));
  return new BucketFault(kind, `${describe(kind, place)} (${words})`, error);
}

function kindOfStatus(status: number | undefined, name: string): BucketFaultKind {
  if (status === undefined) return UNREACHABLE.test(name) ? 'unreachable' : 'other';
  if (status === 301 || status === 307) return 'wrong-region';
  if (status === 401 || status === 403) return 'no-rights';
  if (status === 507) return 'full';
  if (status === 408 || status === 429 || status >= 500) return 'busy';
  return 'other';
}

function describe(kind: BucketFaultKind, { address, endpoint }: BucketPlace): string {
  switch (kind) {
    case 'no-bucket':
      return `There is no bucket for ${address} at ${endpoint}. Make it, or correct --objects`;
    case 'no-credentials':
      return `No credentials for ${address} were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the coordinator's environment, or AWS_PROFILE with a credentials file`;
    case 'wrong-credentials':
      return `${endpoint} does not know these credentials, or they are over. Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the coordinator's environment`;
    case 'no-rights':
      return `These credentials may not work in ${address}. They need s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket there`;
    case 'wrong-region':
      return `${address} lies in another region than the one that was asked, or no region was given. Give the right one with --s3-region or AWS_REGION`;
    case 'clock':
      return `The clock of this machine is too far from that of ${endpoint}. Switch on time synchronisation (NTP)`;
    case 'unreachable':
      return `${endpoint} with the objects in ${address} does not answer. Start it, or mend the network to it, or correct --s3-endpoint`;
    case 'busy':
      return `${endpoint} with the objects in ${address} is too busy or has a fault of its own. Look at its load and its log`;
    case 'changed-on-the-way':
      return `What was sent to ${address} arrived with other bytes. Look at the memory of both machines, and at what stands between them`;
    case 'full':
      return `There is no room left in ${address}. Make room there`;
    case 'other':
      return `${endpoint} refuses a call for ${address}. Look at its log`;
  }
}

/** Errors of the client, of the network below it and of their causes differ in where they keep their name. */
function factsOf(error: unknown): { name: string; status: number | undefined; words: string } {
  let name = '';
  let status: number | undefined;
  let words = String(error);
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 6; current = current.cause, depth++) {
    const { code, $metadata, errors } = current as Error & {
      code?: unknown;
      $metadata?: { httpStatusCode?: number };
      errors?: unknown[];
    };
    status ??= $metadata?.httpStatusCode;
    const found = [current.name, code, (errors?.[0] as { code?: unknown } | undefined)?.code].filter((text) => typeof text === 'string');
    name = found.find((text) => CODES.has(text)) ?? found.find((text) => UNREACHABLE.test(text)) ?? name;
    if (depth === 0) words = `${found.findLast((text) => text !== 'Error') ?? 'Error'}: ${current.message}`;
    if (CODES.has(name) || name !== '') break;
  }
  return { name, status, words: words.replaceAll(/\s+/g, ' ').slice(0, 200) };
}
