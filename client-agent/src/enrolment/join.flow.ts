import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Invite, openStatement, parseInvite, WIRE_VERSION } from '@coferment/consortium';
import { hexToBytes, type StoreSecret } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { wireEnvelopeSchema } from '../connection/envelope.codec.js';
import { KeyStore } from '../keys/key.store.js';
import { privateFolder } from '../keys/private.file.js';
import { createSiteIdentity, hasSiteIdentity, identityKeyHex, openSiteIdentity, writeTlsCredential } from '../keys/site.identity.js';
import { type CertificateRequest, readCertificate, requestCertificate } from './certificate.request.js';
import { EnrolmentClient } from './enrolment.client.js';
import { isMember, type Membership, writeMembership } from './membership.file.js';
import { provePossession } from './possession.proof.js';

export interface JoinInput {
  folder: string;
  inviteFile: string;
  passphrase: StoreSecret;
  trainingSeed?: Uint8Array;
}

/** @throws AgentError 'missing-file', ConsortiumError 'invalid-invite' */
export function readInvite(path: string): Invite {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new AgentError('missing-file', `The invite file ${path} cannot be read (${(error as Error).message}). Check its path.`);
  }
  return parseInvite(text);
}

/**
 * Redeems an invite. Keys are made and stored before the invite is used, so a join that was cut off goes on with the same
 * identity when it is run again; a folder that has joined is left alone.
 */
export async function joinConsortium(input: JoinInput): Promise<Membership> {
  const invite = readInvite(input.inviteFile);
  if (isMember(input.folder)) {
    throw new AgentError('already-joined', `${input.folder} has joined a consortium already. Use another --data folder for another site.`);
  }
  const endpoint = { address: invite.coordinator, serverName: invite.serverName, caCertificate: invite.caCertificate };
  const request = await requestCertificate(invite.site);
  privateFolder(input.folder);
  const store = openStore(input);
  const { identity } = hasSiteIdentity(store) ? openSiteIdentity(store) : createSiteIdentity(store, input.trainingSeed);
  const client = new EnrolmentClient(endpoint);
  try {
    await client.hello(Date.now());
    const response = await client.join({
      wireVersion: WIRE_VERSION,
      agentTimeMs: Date.now(),
      site: invite.site,
      inviteId: invite.inviteId,
      inviteSecret: Buffer.from(hexToBytes(invite.secret)),
      identityKey: Buffer.from(identity.publicKey),
      certificateRequest: Buffer.from(request.request),
      possession: Buffer.from(
        provePossession(identity, {
          consortium: invite.consortium,
          site: invite.site,
          inviteId: invite.inviteId,
          certificateRequest: request.request,
        }),
      ),
    });
    const { certificate, expiresAt } = checkResponse(invite, identityKeyHex(identity), request, response);
    const { consortium, site, coordinator, serverName, caCertificate, operatorKey, logVkey, origin } = invite;
    const membership: Membership = {
      schema: 1,
      consortium,
      site,
      identityKey: identityKeyHex(identity),
      coordinator,
      serverName,
      caCertificate,
      operatorKey,
      logVkey,
      origin,
      certificateExpiresAt: expiresAt,
    };
    writeTlsCredential(store, { key: request.privateKey, certificate });
    writeMembership(input.folder, membership);
    return membership;
  } finally {
    client.close();
  }
}

function openStore(input: JoinInput): KeyStore {
  const folder = join(input.folder, 'keys');
  return KeyStore.exists(folder) ? KeyStore.open(folder, input.passphrase) : KeyStore.create(folder, input.passphrase);
}

function checkResponse(
  invite: Invite,
  identityKey: string,
  request: CertificateRequest,
  response: { consortium: string; certificate: Uint8Array; enrolment: unknown },
): { certificate: string; expiresAt: string } {
  const enrolment = wireEnvelopeSchema.safeParse(response.enrolment);
  if (!enrolment.success || response.consortium !== invite.consortium || response.certificate.length > 8192) {
    throw malformed('its answer does not have the expected form');
  }
  const { predicate } = openStatement('site-enrolled', enrolment.data, hexToBytes(invite.operatorKey));
  if (predicate.consortium !== invite.consortium || predicate.site !== invite.site || predicate.identityKey !== identityKey) {
    throw malformed('it enrolled another site or another key');
  }
  try {
    return readCertificate(response.certificate, request.request);
  } catch (error) {
    throw malformed((error as Error).message);
  }
}

function malformed(reason: string): AgentError {
  return new AgentError(
    'malformed-response',
    `The coordinator did not enrol this site properly: ${reason}. Ask the operator; nothing was stored.`,
  );
}
