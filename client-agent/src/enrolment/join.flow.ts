import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Invite, identityWords, inviteText, openStatement, parseInvite, WIRE_VERSION } from '@coferment/consortium';
import { type DsseEnvelope, type Identity, hexToBytes, type StoreSecret } from '@coferment/crypto';
import type { JoinResponse } from '@coferment/proto';
import { AgentError } from '../agent.error.js';
import { BackoffSchedule } from '../connection/backoff.schedule.js';
import { wireEnvelopeSchema } from '../connection/envelope.codec.js';
import { Journal } from '../journal/journal.js';
import { noteMembership } from '../journal/membership.entries.js';
import { KeyStore } from '../keys/key.store.js';
import { privateFolder, requirePrivate } from '../keys/private.file.js';
import { createSiteIdentity, hasSiteIdentity, identityKeyHex, openSiteIdentity, writeTlsCredential } from '../keys/site.identity.js';
import { takeInAuthorities } from './authorities.act.js';
import { type CertificateRequest, readCertificate, requestCertificate } from './certificate.request.js';
import { EnrolmentClient } from './enrolment.client.js';
import { readInvite } from './invite.source.js';
import { isMember, type Membership, writeMembership } from './membership.file.js';
import { provePossession } from './possession.proof.js';

export interface JoinInput {
  folder: string;
  /** Path of the invite, or `-` for standard input; without one a join that was begun goes on. */
  inviteFile?: string;
  passphrase: StoreSecret;
  trainingSeed?: Uint8Array;
  /** How long to wait for the operator; 0: ask once. Default: 0. */
  waitMs?: number;
}

/** What a person follows a join by. */
export interface JoinWatcher {
  /** The keys are there, and nothing was sent yet. */
  keysMade(invite: Invite, words: readonly string[]): void;
  /** Asked, and not admitted yet; said once. */
  waiting(invite: Invite, words: readonly string[]): void;
  /** Still waiting: the line was cut, or some time has passed. */
  stillWaiting(why: string): void;
}

const SILENT: JoinWatcher = { keysMade: () => undefined, waiting: () => undefined, stillWaiting: () => undefined };

/** The first answer comes soon after the operator was told; nobody needs to be asked more often than this later. */
const FIRST_ASK_MS = 1_000;
const MOST_BETWEEN_ASKS_MS = 15_000;
const TELL_EVERY_MS = 30_000;
/** What a join that was cut off goes on with: the invite, sealed under the site's passphrase because of the secret in it. */
const BEGUN = 'pending-invite';

/**
 * Redeems an invite. Keys are made and stored before the invite is used, so a join that was cut off goes on with the same identity when it is run again; a
 * folder that has joined is left alone.
 * @throws AgentError 'not-admitted' when the operator has not admitted the site in time: running it again goes on
 */
export async function joinConsortium(input: JoinInput, watcher: JoinWatcher = SILENT): Promise<Membership> {
  const given = input.inviteFile === undefined ? undefined : readInvite(input.inviteFile);
  if (isMember(input.folder)) {
    throw new AgentError('already-joined', `${input.folder} has joined a consortium already. Use another --data folder for another site.`);
  }
  if (given === undefined && !KeyStore.exists(keysIn(input.folder))) throw nothingBegun(input.folder);
  // Made private with the keys; from then on only looked at, because somebody has to decide whether they were read.
  if (KeyStore.exists(keysIn(input.folder))) requirePrivate(input.folder);
  else privateFolder(input.folder);
  const store = openStore(input);
  const invite = given ?? begun(store, input.folder);
  const request = await requestCertificate(invite.site);
  const { identity } = hasSiteIdentity(store) ? openSiteIdentity(store) : createSiteIdentity(store, input.trainingSeed);
  store.write(BEGUN, Buffer.from(inviteText(invite)));
  const words = identityWords(invite.consortium, invite.site, identityKeyHex(identity));
  watcher.keysMade(invite, words);
  const response = await askUntilAdmitted({ invite, identity, request }, words, input.waitMs ?? 0, watcher);
  const { certificate, expiresAt } = checkResponse(invite, identityKeyHex(identity), request, response);
  const membership = { ...membershipOf(invite, identityKeyHex(identity), expiresAt), ...takeInAuthorities(invite, response.authorities) };
  writeTlsCredential(store, { key: request.privateKey, certificate });
  writeMembership(input.folder, membership);
  recordJoined(input.folder, identity, membership);
  store.eraseRecord(BEGUN);
  return membership;
}

/** The first entry of the site's record. Cut off before it, serving writes it. */
function recordJoined(folder: string, identity: Identity, membership: Membership): void {
  const journal = Journal.open(join(folder, 'journal.sqlite'), { identity });
  try {
    noteMembership(journal.record, membership);
  } finally {
    journal.close();
  }
}

interface Joining {
  invite: Invite;
  identity: Identity;
  request: CertificateRequest;
}

/** Asks until the operator has decided. A line that is cut while waiting is waited out too; before the first answer it is an error, so that it is seen. */
async function askUntilAdmitted(joining: Joining, words: readonly string[], waitMs: number, watcher: JoinWatcher): Promise<JoinResponse> {
  const { invite } = joining;
  const { coordinator: address, serverName, caCertificate } = invite;
  const client = new EnrolmentClient({ address, serverName, caCertificate });
  const endMs = performance.now() + waitMs;
  const backoff = new BackoffSchedule(FIRST_ASK_MS, MOST_BETWEEN_ASKS_MS);
  let asked = false;
  let toldMs = performance.now();
  try {
    await client.firstHello(Date.now());
    for (;;) {
      const answer = await ask(client, joining).catch((error: unknown) => {
        if (asked && error instanceof AgentError && error.code === 'unreachable') return error;
        throw error;
      });
      if (!(answer instanceof AgentError) && !answer.pending) return answer;
      if (!asked) watcher.waiting(invite, words);
      else if (performance.now() - toldMs > TELL_EVERY_MS) {
        watcher.stillWaiting(answer instanceof AgentError ? answer.message : 'The operator has not decided yet.');
        toldMs = performance.now();
      }
      asked = true;
      const restMs = endMs - performance.now();
      if (restMs <= 0) throw notAdmitted(invite, words);
      await sleep(Math.min(backoff.nextMs(), restMs));
    }
  } finally {
    client.close();
  }
}

function ask(client: EnrolmentClient, { invite, identity, request }: Joining): Promise<JoinResponse> {
  const { consortium, site, inviteId, secret } = invite;
  return client.join({
    wireVersion: WIRE_VERSION,
    agentTimeMs: Date.now(),
    site,
    inviteId,
    inviteSecret: Buffer.from(hexToBytes(secret)),
    identityKey: Buffer.from(identity.publicKey),
    certificateRequest: Buffer.from(request.request),
    possession: Buffer.from(provePossession(identity, { consortium, site, inviteId, certificateRequest: request.request })),
  });
}

function membershipOf(invite: Invite, identityKey: string, certificateExpiresAt: string): Membership {
  const { consortium, site, role, coordinator, serverName, caCertificate, operatorKey, logVkey, origin, pseudonym = {} } = invite;
  const known = { consortium, site, identityKey, coordinator, serverName, caCertificate, operatorKey, logVkey, origin };
  return { schema: 1, ...known, certificateExpiresAt, role, ...pseudonym };
}

function keysIn(folder: string): string {
  return join(folder, 'keys');
}

function openStore(input: JoinInput): KeyStore {
  const folder = keysIn(input.folder);
  return KeyStore.exists(folder) ? KeyStore.open(folder, input.passphrase) : KeyStore.create(folder, input.passphrase);
}

function begun(store: KeyStore, folder: string): Invite {
  const kept = store.read(BEGUN);
  if (kept === undefined) throw nothingBegun(folder);
  return parseInvite(Buffer.from(kept).toString('utf8'));
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
  const enrolled = enrolledMember(invite, enrolment.data);
  if (enrolled.consortium !== invite.consortium || enrolled.name !== invite.site || enrolled.identityKey !== identityKey) {
    throw malformed('it enrolled another member or another key');
  }
  try {
    return readCertificate(response.certificate, request.request);
  } catch (error) {
    throw malformed((error as Error).message);
  }
}

/** What the operator signed for this role: the act of another one does not verify as it. */
function enrolledMember({ role, operatorKey }: Invite, envelope: DsseEnvelope): { consortium: string; name: string; identityKey: string } {
  const key = hexToBytes(operatorKey);
  switch (role) {
    case 'site': {
      const { consortium, site, identityKey } = openStatement('site-enrolled', envelope, key).predicate;
      return { consortium, name: site, identityKey };
    }
    case 'auditor': {
      const { consortium, auditor, identityKey } = openStatement('auditor-enrolled', envelope, key).predicate;
      return { consortium, name: auditor, identityKey };
    }
  }
}

function malformed(reason: string): AgentError {
  return new AgentError(
    'malformed-response',
    `The coordinator did not enrol this site properly: ${reason}. Ask the operator; nothing was stored.`,
  );
}

function notAdmitted({ site }: Invite, words: readonly string[]): AgentError {
  return new AgentError(
    'not-admitted',
    `The operator has not admitted "${site}" yet. Tell the operator these words: ${words.join(' ')}. Then run this command again, without the invite: it goes on with the same keys.`,
  );
}

function nothingBegun(folder: string): AgentError {
  return new AgentError(
    'not-joined',
    `No join was begun in ${folder}. Give the invite: coferment-agent join INVITE --data ${folder} --passphrase-file F`,
  );
}
