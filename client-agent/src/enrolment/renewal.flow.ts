import { WIRE_VERSION } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';
import type { Endpoint } from '../connection/wire.channel.js';
import type { KeyStore } from '../keys/key.store.js';
import { openSiteIdentity, writeTlsCredential } from '../keys/site.identity.js';
import { readCertificate, requestCertificate } from './certificate.request.js';
import { EnrolmentClient } from './enrolment.client.js';
import { type Membership, writeMembership } from './membership.file.js';
import { proveRenewal } from './possession.proof.js';

/** A certificate is renewed in the last month of its life, and at any time after it has expired. */
const RENEW_BEFORE_MS = 30 * 24 * 3_600_000;

export function renewalIsDue(membership: Membership, nowMs: number): boolean {
  return Date.parse(membership.certificateExpiresAt) - nowMs < RENEW_BEFORE_MS;
}

export function endpointOf(membership: Membership): Endpoint {
  return { address: membership.coordinator, serverName: membership.serverName, caCertificate: membership.caCertificate };
}

/** Gets a certificate for a new TLS key. The old pair stays in use until the new one is stored. */
export async function renewCertificate(folder: string, membership: Membership, store: KeyStore): Promise<Membership> {
  const { identity } = openSiteIdentity(store);
  const { consortium, site } = membership;
  const { request, privateKey } = await requestCertificate(site);
  const agentTimeMs = Date.now();
  const client = new EnrolmentClient(endpointOf(membership));
  try {
    const response = await client.renew({
      wireVersion: WIRE_VERSION,
      agentTimeMs,
      site,
      certificateRequest: Buffer.from(request),
      possession: Buffer.from(proveRenewal(identity, { consortium, site, agentTimeMs, certificateRequest: request })),
    });
    const { certificate, expiresAt } = readRenewed(response.certificate, request);
    const renewed = { ...membership, certificateExpiresAt: expiresAt };
    writeTlsCredential(store, { key: privateKey, certificate });
    writeMembership(folder, renewed);
    return renewed;
  } finally {
    client.close();
  }
}

function readRenewed(der: Uint8Array, request: Uint8Array): { certificate: string; expiresAt: string } {
  try {
    return readCertificate(der, request);
  } catch (error) {
    throw new AgentError(
      'malformed-response',
      `The renewed certificate was refused: ${(error as Error).message}. The old one stays in use.`,
    );
  }
}
