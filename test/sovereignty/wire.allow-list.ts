import { parseStatement } from '@coferment/consortium';

type Rule = (value: unknown) => boolean;

const text =
  (pattern: RegExp): Rule =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const number =
  (most: number): Rule =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
const bytes =
  (least: number, most = least): Rule =>
  (value) =>
    Buffer.isBuffer(value) && value.length >= least && value.length <= most;
const oneOf =
  (...words: string[]): Rule =>
  (value) =>
    typeof value === 'string' && words.includes(value);

const digest = text(/^[0-9a-f]{64}$/);
/** X25519 and ML-KEM-768 public keys in one. */
const sealingKey = text(/^[0-9a-f]{2432}$/);
const siteId = text(/^[a-z0-9][a-z0-9-]{0,39}$/);
const run = text(/^r[0-9]+-[0-9a-f]{16}$/);
const version = text(/^[0-9]+\.[0-9]+$/);
const wall = number(2 ** 43);
const small = number(10_000);

/** Three lines that the coordinator gave, its signature, and the one line of the site: of its own it says the time and a signature. */
const cosignedCheckpoint = text(
  /^[^\n]{1,200}\n[0-9]{1,10}\n[A-Za-z0-9+/]{43}=\n\n— [^ \n]{1,200} [A-Za-z0-9+/]{91}=\n— [^ \n]{1,240} [A-Za-z0-9+/]{102}==\n$/,
);

/** Everything that a site may say on the wire, field by field. A field that is not here, or a value of another form, fails the test. */
const FIELDS: Readonly<Record<string, Rule>> = {
  'HelloRequest.wire_version': version,
  'HelloRequest.agent_time_ms': wall,
  'JoinRequest.wire_version': version,
  'JoinRequest.agent_time_ms': wall,
  'JoinRequest.site': siteId,
  'JoinRequest.invite_id': text(/^[0-9a-f]{16}$/),
  'JoinRequest.invite_secret': bytes(32),
  'JoinRequest.identity_key': bytes(32),
  'JoinRequest.certificate_request': bytes(1, 1024),
  'JoinRequest.possession': bytes(64),
  'RenewRequest.wire_version': version,
  'RenewRequest.agent_time_ms': wall,
  'RenewRequest.site': siteId,
  'RenewRequest.certificate_request': bytes(1, 1024),
  'RenewRequest.possession': bytes(64),
  'PollRequest.wire_version': version,
  'PollRequest.wait_ms': number(20_000),
  'PollRequest.known': text(/^(|[0-9a-f]{64})$/),
  'PollRequest.authorities': small,
  'PollRequest.positions.run': run,
  'PollRequest.positions.applied_sum': small,
  'PollRequest.positions.epoch': small,
  'GetUploadRequest.digest': digest,
  'UploadRequest.header.digest': digest,
  'UploadRequest.header.size': number(2 ** 31),
  'UploadRequest.header.offset': number(2 ** 31),
  'UploadRequest.header.purpose': oneOf(
    'OBJECT_PURPOSE_DEALING_MASKED',
    'OBJECT_PURPOSE_DEALING_BOX',
    'OBJECT_PURPOSE_CIPHERTEXT',
    'OBJECT_PURPOSE_DECRYPTION_SHARE',
  ),
  'UploadRequest.header.run': run,
  'UploadRequest.chunk': bytes(1, 262_144),
  'DownloadRequest.digest': digest,
  'DownloadRequest.offset': number(2 ** 31),
  'DownloadRequest.length': number(2 ** 31),
  'GetBlockDigestsRequest.digest': digest,
  'GetBlockDigestsRequest.offset': number(2 ** 20),
  'DescribeModelRequest.run': run,
  'GetEntriesRequest.start': number(2 ** 31),
  'GetEntriesRequest.limit': number(256),
  'AwaitCheckpointRequest.old_size': number(2 ** 31),
  'AwaitCheckpointRequest.wait_ms': number(20_000),
  'AddCosignatureRequest.checkpoint': cosignedCheckpoint,
  'GetConsistencyProofRequest.old_size': number(2 ** 31),
  'GetConsistencyProofRequest.new_size': number(2 ** 31),
  'GetReceiptRequest.payload_digest': digest,
};

/** Messages that carry one signed statement, and the statements that are allowed in each. */
const ENVELOPES: Readonly<Record<string, readonly string[]>> = {
  'SubmitNonceRequest.nonce': ['nonce'],
  'SubmitShareRequest.share': ['share'],
  'SubmitStatementRequest.statement': [
    'witness-key',
    'plan-approved',
    'sealing-key',
    'roster-approved',
    'dealing',
    'dealing-ack',
    'epoch-agreed',
    'epoch-left',
    'contribution',
    'attestation',
  ],
};

const inRun = { consortium: siteId, run };
const inEpoch = { ...inRun, epoch: small };
const inSum = { ...inRun, e: digest, kind: oneOf('confirm', 'statistics', 'update', 'evaluate'), sum: small };
const model: Rule = (value) => value === 'none' || digest(value);

/** What a site signs, field by field: names, digests, and counts that every site of a plan states alike. */
const PREDICATES: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  'witness-key': { consortium: siteId, site: siteId, key: digest },
  'plan-approved': { consortium: siteId, site: siteId, plan: digest, ordinal: small, sites: siteId },
  'sealing-key': { ...inEpoch, site: siteId, key: sealingKey },
  'roster-approved': { ...inEpoch, site: siteId, roster: digest, fingerprint: digest, e0: digest },
  dealing: {
    ...inEpoch,
    e0: digest,
    site: siteId,
    commitments: digest,
    masked: digest,
    'boxes.holder': siteId,
    'boxes.object': digest,
  },
  'dealing-ack': { ...inEpoch, e0: digest, dealer: siteId, site: siteId, dealing: digest },
  'epoch-agreed': { ...inEpoch, e0: digest, e: digest, site: siteId, 'dealings.site': siteId, 'dealings.dealing': digest, leftOut: siteId },
  'epoch-left': { ...inEpoch, site: siteId, reason: oneOf('restored') },
  nonce: { ...inSum, i: digest, attempt: small, site: siteId, nonce: digest },
  contribution: {
    ...inSum,
    k: digest,
    attempt: small,
    site: siteId,
    blocks: small,
    droppedBits: number(200),
    object: digest,
    merkleRoot: digest,
    ranges: digest,
    sampleCommitment: digest,
    batchCommitment: digest,
    dataReportCommitment: digest,
    backend: oneOf('wasm', 'cpu', 'tensorflow', 'none'),
  },
  attestation: {
    ...inEpoch,
    e: digest,
    kind: inSum.kind,
    site: siteId,
    'sums.sum': small,
    'sums.k': digest,
    'sums.t': digest,
    'sums.set': digest,
    'sums.modelIn': model,
  },
  share: { ...inSum, k: digest, t: digest, site: siteId, blocks: small, object: digest, merkleRoot: digest },
};

/** gRPC's own headers; a site's agent adds none. */
const METADATA = ['user-agent', 'te', 'grpc-accept-encoding', 'grpc-timeout', 'accept-encoding', 'content-type'];

/** What on a message is not on the list, in words. Empty: everything is. */
export function unlisted(type: string, fields: Readonly<Record<string, unknown>>, metadata: Readonly<Record<string, string>>): string[] {
  const found = Object.keys(metadata)
    .filter((name) => !METADATA.includes(name))
    .map((name) => `metadata ${name}`);
  for (const [path, value] of leaves(fields, type)) {
    const envelope = Object.keys(ENVELOPES).find((known) => path.startsWith(`${known}.`));
    if (envelope !== undefined) found.push(...unlistedInEnvelope(envelope, path, value));
    else if (!FIELDS[path]?.(value)) found.push(`${path} = ${shown(value)}`);
  }
  return found;
}

function unlistedInEnvelope(envelope: string, path: string, value: unknown): string[] {
  switch (path.slice(envelope.length + 1)) {
    case 'keyid':
      return digest(value) ? [] : [`${path} = ${shown(value)}`];
    case 'signature':
      return bytes(64)(value) ? [] : [`${path} = ${shown(value)}`];
    case 'payload': {
      const { name, predicate } = parseStatement(value as Buffer);
      if (!ENVELOPES[envelope]!.includes(name)) return [`${envelope} carries a ${name}`];
      return [...leaves(predicate, name)]
        .filter(([field, leaf]) => !PREDICATES[name]?.[field.slice(name.length + 1)]?.(leaf))
        .map(([field, leaf]) => `statement ${field} = ${shown(leaf)}`);
    }
    default:
      return [path];
  }
}

/** Every value with its path; items of a list share the path of the list. */
function* leaves(value: unknown, path: string): Generator<[string, unknown]> {
  if (Array.isArray(value)) for (const item of value) yield* leaves(item, path);
  else if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
    for (const [name, inner] of Object.entries(value)) yield* leaves(inner, `${path}.${name}`);
  } else yield [path, value];
}

function shown(value: unknown): string {
  return Buffer.isBuffer(value) ? `${value.length} bytes` : JSON.stringify(value);
}
