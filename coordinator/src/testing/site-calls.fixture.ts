import { webcrypto } from 'node:crypto';
import { type Invite, type PredicateName, WIRE_VERSION, joinMessage, parseInvite } from '@coferment/consortium';
import { type DsseEnvelope, type Identity, hexToBytes, sha256Hex, signBytes } from '@coferment/crypto';
import { type ServiceError, credentials } from '@grpc/grpc-js';
import {
  DownloadServiceClient,
  EnrolmentServiceClient,
  type GetUploadResponse,
  type JoinRequest,
  type JoinResponse,
  LedgerServiceClient,
  NonceServiceClient,
  type ObjectPurpose,
  OperatorServiceClient,
  type PollResponse,
  PollingServiceClient,
  type RunPosition,
  ShareServiceClient,
  StatementServiceClient,
  UploadServiceClient,
  type UploadResponse,
} from '@coferment/proto';
import * as x509 from '@peculiar/x509';
import { toWire } from '../agent-port/envelope.codec.js';
import { ask, refusal } from '../cli/operator.client.js';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

type Where = Pick<Invite, 'coordinator' | 'serverName' | 'caCertificate'>;

function options({ serverName }: Where) {
  return { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName };
}

/** Hello and Join, without a client certificate. */
export function joinCall(where: Where, request: JoinRequest): Promise<JoinResponse> {
  const client = new EnrolmentServiceClient(where.coordinator, credentials.createSsl(Buffer.from(where.caCertificate)), options(where));
  return ask(client.join.bind(client), request).finally(() => client.close());
}

/** The calls of one site. Without a key pair it calls as a stranger. */
export class SiteCalls {
  readonly polling: PollingServiceClient;
  readonly statements: StatementServiceClient;
  readonly nonces: NonceServiceClient;
  readonly shares: ShareServiceClient;
  readonly uploads: UploadServiceClient;
  readonly downloads: DownloadServiceClient;
  readonly operator: OperatorServiceClient;
  readonly ledger: LedgerServiceClient;

  constructor(
    readonly where: Where,
    readonly pair?: { key: string; certificate: string },
  ) {
    const ca = Buffer.from(where.caCertificate);
    const tls =
      pair === undefined ? credentials.createSsl(ca) : credentials.createSsl(ca, Buffer.from(pair.key), Buffer.from(pair.certificate));
    const settings = options(where);
    this.polling = new PollingServiceClient(where.coordinator, tls, settings);
    this.statements = new StatementServiceClient(where.coordinator, tls, settings);
    this.nonces = new NonceServiceClient(where.coordinator, tls, settings);
    this.shares = new ShareServiceClient(where.coordinator, tls, settings);
    this.uploads = new UploadServiceClient(where.coordinator, tls, settings);
    this.downloads = new DownloadServiceClient(where.coordinator, tls, settings);
    this.operator = new OperatorServiceClient(where.coordinator, tls, settings);
    this.ledger = new LedgerServiceClient(where.coordinator, tls, settings);
  }

  /** The same caller at another coordinator. */
  at(coordinator: string): SiteCalls {
    return new SiteCalls({ ...this.where, coordinator }, this.pair);
  }

  close(): void {
    const { polling, statements, nonces, shares, uploads, downloads, operator, ledger } = this;
    for (const client of [polling, statements, nonces, shares, uploads, downloads, operator, ledger]) client.close();
  }

  poll(positions: RunPosition[], known: string, waitMs: number): Promise<PollResponse> {
    return ask(this.polling.poll.bind(this.polling), { wireVersion: WIRE_VERSION, waitMs, positions, known, authorities: 0 });
  }

  async submit(envelope: DsseEnvelope, name: PredicateName): Promise<string> {
    const wire = toWire(envelope);
    if (name === 'nonce') return (await ask(this.nonces.submitNonce.bind(this.nonces), { nonce: wire })).digest;
    if (name === 'share') return (await ask(this.shares.submitShare.bind(this.shares), { share: wire })).digest;
    return (await ask(this.statements.submitStatement.bind(this.statements), { statement: wire })).digest;
  }

  uploadState(digest: string): Promise<GetUploadResponse> {
    return ask(this.uploads.getUpload.bind(this.uploads), { digest });
  }

  /** Sends the bytes under a header of the caller's making. */
  send(
    header: { digest: string; size: number; offset: number; purpose: ObjectPurpose; run: string },
    bytes: Uint8Array,
  ): Promise<UploadResponse> {
    return new Promise((resolve, reject) => {
      const stream = this.uploads.upload((error: ServiceError | null, response) =>
        error === null ? resolve(response) : reject(refusal(error)),
      );
      stream.on('error', () => {});
      stream.write({ part: { $case: 'header', header } });
      for (let start = 0; start < bytes.length; start += 262_144) {
        stream.write({ part: { $case: 'chunk', chunk: Buffer.from(bytes.subarray(start, start + 262_144)) } });
      }
      stream.end();
    });
  }

  /** From where an earlier try was interrupted, if there was one. */
  async upload(bytes: Uint8Array, purpose: ObjectPurpose, run: string): Promise<string> {
    const digest = sha256Hex(bytes);
    const { received: offset } = await this.uploadState(digest);
    await this.send({ digest, size: bytes.length, offset, purpose, run }, bytes.subarray(offset));
    return digest;
  }

  async download(digest: string, offset = 0, length = 0): Promise<Buffer> {
    const chunks: Buffer[] = [];
    try {
      const stream = this.downloads.download({ digest, offset, length }) as AsyncIterable<{ chunk: Buffer }>;
      for await (const { chunk } of stream) chunks.push(chunk);
    } catch (error) {
      throw refusal(error as ServiceError);
    }
    return Buffer.concat(chunks);
  }

  async blockDigests(digest: string, offset = 0): Promise<Buffer[]> {
    return (await ask(this.downloads.getBlockDigests.bind(this.downloads), { digest, offset })).digests;
  }
}

/** Joins with a fresh TLS key and the given identity; the calls carry the certificate that came back. */
export async function joinConsortium(inviteFile: string, identity: Identity): Promise<{ invite: Invite; calls: SiteCalls }> {
  const invite = parseInvite(inviteFile);
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: [{ CN: [invite.site] }], keys, signingAlgorithm: P256 });
  const certificateRequest = new Uint8Array(request.rawData);
  const message = joinMessage(invite.consortium, invite.site, invite.inviteId, certificateRequest);
  const { certificate } = await joinCall(invite, {
    wireVersion: WIRE_VERSION,
    agentTimeMs: Date.now(),
    site: invite.site,
    inviteId: invite.inviteId,
    inviteSecret: Buffer.from(hexToBytes(invite.secret)),
    identityKey: Buffer.from(identity.publicKey),
    certificateRequest: Buffer.from(certificateRequest),
    possession: Buffer.from(signBytes('join', message, identity.privateKey)),
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  const pem = x509.PemConverter.encode(Uint8Array.from(certificate), 'CERTIFICATE');
  return { invite, calls: new SiteCalls(invite, { key, certificate: pem }) };
}
