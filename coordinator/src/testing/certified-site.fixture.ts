import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { type Invite, WIRE_VERSION, joinMessage, parseInvite, renewMessage } from '@coferment/consortium';
import { type Identity, bytesToHex, generateIdentity, hexToBytes, signBytes } from '@coferment/crypto';
import { EnrolmentServiceClient, type RenewRequest, type RenewResponse } from '@coferment/proto';
import { credentials } from '@grpc/grpc-js';
import * as x509 from '@peculiar/x509';
import { ask } from '../cli/operator.client.js';
import { SiteCalls, joinCall } from './site-calls.fixture.js';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export interface Pair {
  key: string;
  certificate: string;
}

async function newRequest(site: string): Promise<{ request: Uint8Array; key: string }> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: [{ CN: [site] }], keys, signingAlgorithm: P256 });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { request: new Uint8Array(request.rawData), key };
}

const pem = (der: Uint8Array): string => x509.PemConverter.encode(Uint8Array.from(der), 'CERTIFICATE');

/** A member reduced to its certificates: it joins, renews, and makes connections with whichever of its pairs a test wants. */
export class CertifiedSite {
  readonly #opened: SiteCalls[] = [];
  /** What it believes; the invite's until a test says otherwise. */
  authorities: string;

  private constructor(
    readonly invite: Invite,
    readonly identity: Identity,
    public pair: Pair,
  ) {
    this.authorities = invite.caCertificate;
  }

  static async join(inviteFile: string): Promise<CertifiedSite> {
    const invite = parseInvite(inviteFile);
    const identity = generateIdentity();
    const { request, key } = await newRequest(invite.site);
    const message = joinMessage(invite.consortium, invite.site, invite.inviteId, request);
    const { certificate } = await joinCall(invite, {
      wireVersion: WIRE_VERSION,
      agentTimeMs: Date.now(),
      site: invite.site,
      inviteId: invite.inviteId,
      inviteSecret: Buffer.from(hexToBytes(invite.secret)),
      identityKey: Buffer.from(identity.publicKey),
      certificateRequest: Buffer.from(request),
      possession: Buffer.from(signBytes('join', message, identity.privateKey)),
    });
    return new CertifiedSite(invite, identity, { key, certificate: pem(certificate) });
  }

  get member() {
    return { site: this.invite.site, identityKey: bytesToHex(this.identity.publicKey) };
  }

  get where() {
    return { ...this.invite, caCertificate: this.authorities };
  }

  /** Calls on a connection of their own. */
  calls(pair: Pair = this.pair): SiteCalls {
    const calls = new SiteCalls(this.where, pair);
    this.#opened.push(calls);
    return calls;
  }

  async renewal(agentTimeMs = Date.now()): Promise<{ call: RenewRequest; key: string }> {
    const { consortium, site } = this.invite;
    const { request, key } = await newRequest(site);
    const message = renewMessage(consortium, site, agentTimeMs, request);
    const possession = Buffer.from(signBytes('renew', message, this.identity.privateKey));
    return { call: { wireVersion: WIRE_VERSION, agentTimeMs, site, certificateRequest: Buffer.from(request), possession }, key };
  }

  /** Without a client certificate, as an agent does it. */
  async send(call: RenewRequest): Promise<RenewResponse> {
    const { coordinator, serverName, caCertificate } = this.where;
    const options = { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName };
    const client = new EnrolmentServiceClient(coordinator, credentials.createSsl(Buffer.from(caCertificate)), options);
    return ask(client.renew.bind(client), call).finally(() => client.close());
  }

  /** Takes the new pair and returns the one before. */
  async renew(agentTimeMs?: number): Promise<Pair> {
    const { call, key } = await this.renewal(agentTimeMs);
    const { certificate } = await this.send(call);
    const before = this.pair;
    this.pair = { key, certificate: pem(certificate) };
    return before;
  }

  close(): void {
    for (const calls of this.#opened) calls.close();
  }
}
