import { timingSafeEqual } from 'node:crypto';
import { joinMessage } from '@coferment/consortium';
import { type DsseEnvelope, bytesToHex, verifyBytes } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { RenewalService } from '../certificates/renewal.service.js';
import { CoordinatorError } from '../errors/index.js';
import { type IssuedCertificate, issueSite } from '../identity/certificate.authority.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { Log } from '../telemetry/log.js';
import { EnrolmentRepository } from './enrolment.repository.js';
import { inviteSecretHash } from './invite.service.js';
import { enrolmentAct } from './membership.acts.js';
import { moved } from './membership.rule.js';
import type { InviteRow, SiteRow } from './site.entity.js';

export interface JoinCall {
  site: string;
  inviteId: string;
  inviteSecret: Uint8Array;
  identityKey: Uint8Array;
  request: Uint8Array;
  possession: Uint8Array;
}

/** Pending: the operator has not admitted the identity key yet. */
export type JoinAnswer = { pending: true } | { pending: false; certificate: Uint8Array; enrolment: DsseEnvelope };

/** How members get in. */
@Injectable()
export class EnrolmentService {
  constructor(
    private readonly database: Database,
    private readonly repository: EnrolmentRepository,
    private readonly identity: ConsortiumIdentity,
    private readonly renewal: RenewalService,
    private readonly publication: PublicationService,
    private readonly notifier: ChangeNotifier,
    private readonly log: Log,
  ) {}

  /**
   * Redeems an invite: pins the identity key for good and, once it is admitted, enrols it and issues its first certificate. The same member with the same key
   * may ask again, to hear whether it was admitted or because an answer was lost; anybody else finds the invite used.
   */
  async join(call: JoinCall): Promise<JoinAnswer> {
    const { consortium } = this.identity.facts;
    const message = joinMessage(consortium, call.site, call.inviteId, call.request);
    if (!verifyBytes('join', message, call.possession, call.identityKey)) {
      throw new CoordinatorError('bad-signature', `The proof that "${call.site}" owns its identity key does not verify. Join again.`);
    }
    const identityKey = bytesToHex(call.identityKey);
    // Looked at again below: nobody without an invite has certificates signed for nothing, and the transaction cannot wait for the signing.
    await this.database.transaction(async (manager) =>
      requireInvite(await this.repository.invite(manager, call.inviteId), call, identityKey),
    );
    // Before admission it is only a check of the request: the certificate is dropped, and no call is let in by one that is not enrolled.
    const issued = await issueSite(this.identity.authority, call.site, call.request);
    const { row, isNew } = await this.database.transaction(async (manager) => {
      // The name first, then its invites, as everywhere: a join beside a revocation would otherwise wait for it and it for the join.
      const named = await this.repository.lockSite(manager, call.site);
      const invite = requireInvite(await this.repository.invite(manager, call.inviteId), call, identityKey);
      const owner = await this.repository.byIdentity(manager, identityKey);
      if (owner !== null && owner.site !== call.site) {
        throw new CoordinatorError(
          'identity-taken',
          `This identity key belongs to the site "${owner.site}". Every site has its own: use another data folder.`,
        );
      }
      const asked = requireOpenPlace(named, invite, identityKey);
      if (await this.repository.isSpent(manager, identityKey)) {
        throw new CoordinatorError(
          'identity-taken',
          `This identity key is of a membership that has ended. Every membership has its own keys: use another data folder.`,
        );
      }
      const state = asked.state === 'enrolled' ? asked.state : moved(asked, invite.preAdmitted ? 'enrol' : 'ask');
      await this.repository.saveInvite(manager, { ...invite, usedBy: identityKey });
      const pinned = { ...asked, state, identityKey };
      const joined = state === 'enrolled' ? await this.#enrol(manager, pinned, issued) : pinned;
      await this.repository.saveSite(manager, joined);
      return { row: joined, isNew: asked.state !== state };
    });
    const { enrolment } = row;
    if (enrolment === null) {
      if (isNew) this.log.info('a member waits to be admitted', { site: row.site });
      return { pending: true };
    }
    await this.publication.follow();
    this.notifier.changed();
    this.log.info('a member joined', { site: row.site });
    return { pending: false, certificate: issued.certificate, enrolment };
  }

  /** A repeated join changes the certificate only, so it gets the act that stands in the ledger already. */
  async #enrol(manager: EntityManager, row: SiteRow & { identityKey: string }, issued: IssuedCertificate): Promise<SiteRow> {
    const certified = { ...row, certificateDigest: issued.digest, certificateExpiresMs: issued.expiresMs };
    if (row.enrolment !== null) {
      await this.renewal.repeatJoin(manager, row);
      return certified;
    }
    const enrolment = enrolmentAct(row, issued.digest, this.identity);
    await this.publication.append(manager, enrolment, this.identity.operator.publicKey);
    return { ...certified, enrolment };
  }
}

/**
 * An invite takes a member that was only invited in, and after that it serves the same identity only to ask again. So a revoked site does not come back by the
 * invite that it came with, and no second invite takes the place of a site that has joined.
 */
function requireOpenPlace(row: SiteRow | null, invite: InviteRow, identityKey: string): SiteRow {
  const asksAgain = row !== null && row.identityKey === identityKey && ['pending', 'enrolled'].includes(row.state);
  if (row !== null && (invite.usedBy === null ? row.state === 'invited' : asksAgain)) return row;
  // The operator refused it while it waited: it was never enrolled.
  if (row?.state === 'revoked' && row.enrolment === null && row.identityKey === identityKey)
    throw new CoordinatorError('site-revoked', `The operator has refused this identity key for "${row.site}". Ask the operator why.`);
  throw new CoordinatorError(
    'invite-used',
    `"${invite.site}" is ${row?.state ?? 'no member'}, so the invite ${invite.id} lets nobody in any more. Ask the operator for a new one.`,
  );
}

function requireInvite(invite: InviteRow | null, call: JoinCall, identityKey: string): InviteRow {
  const expected = Buffer.from(invite?.secretHash ?? '');
  const given = Buffer.from(inviteSecretHash(call.inviteId, call.inviteSecret));
  if (invite === null || invite.site !== call.site || expected.length !== given.length || !timingSafeEqual(expected, given)) {
    throw new CoordinatorError(
      'invite-unknown',
      `This invite is not one of the consortium's for "${call.site}". Ask the operator for a new one.`,
    );
  }
  if (invite.usedBy !== null && invite.usedBy !== identityKey) {
    throw new CoordinatorError(
      'invite-used',
      `The invite ${invite.id} for "${call.site}" has been used. An invite works once: ask the operator for a new one.`,
    );
  }
  if (invite.usedBy === null && invite.expiresMs < Date.now()) {
    throw new CoordinatorError(
      'invite-expired',
      `The invite ${invite.id} expired at ${new Date(invite.expiresMs).toISOString()}. Ask the operator for a new one.`,
    );
  }
  return invite;
}
