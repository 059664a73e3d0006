import { WIRE_VERSION } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';
import type { Endpoint } from '../connection/wire.channel.js';
import type { KeyStore } from '../keys/key.store.js';
import { openSiteIdentity, writeTlsCredential } from '../keys/site.identity.js';
import { takeInAuthorities } from './authorities.act.js';
import { isIssuedBy, readCertificate, requestCertificate } from './certificate.request.js';
import { EnrolmentClient } from './enrolment.client.js';
import { type Membership, writeMembership } from './membership.file.js';
import { proveRenewal } from './possession.proof.js';

export function endpointOf(membership: Membership): Endpoint {
  return { address: membership.coordinator, serverName: membership.serverName, caCertificate: membership.caCertificate };
}

/**
 * Gets a certificate for a new TLS key, and with it the authorities that are believed now. The old pair stays in use until the new one is stored, and the
 * pair is stored before what is believed: cut off in between, the site says at its next poll that it knows the old authorities, and renews once more.
 */
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
    const believed = takeInAuthorities(membership, response.authorities);
    const { certificate, expiresAt } = readRenewed(response.certificate, request, believed.caCertificate);
    const renewed = { ...membership, ...believed, certificateExpiresAt: expiresAt };
    writeTlsCredential(store, { key: privateKey, certificate });
    writeMembership(folder, renewed);
    return renewed;
  } finally {
    client.close();
  }
}

function readRenewed(der: Uint8Array, request: Uint8Array, authorities: string): { certificate: string; expiresAt: string } {
  try {
    const read = readCertificate(der, request);
    if (!isIssuedBy(read.certificate, authorities)) throw new Error('no authority of the consortium has issued it');
    return read;
  } catch (error) {
    throw new AgentError(
      'malformed-response',
      `The renewed certificate was refused: ${(error as Error).message}. The old one stays in use.`,
    );
  }
}
