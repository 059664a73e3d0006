import { timingSafeEqual } from 'node:crypto';
import { joinMessage, signStatement } from '@coferment/consortium';
import { type DsseEnvelope, bytesToHex, verifyBytes } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CoordinatorError } from '../errors/index.js';
import { issueSite } from '../identity/certificate.authority.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { Log } from '../telemetry/log.js';
import { EnrolmentRepository } from './enrolment.repository.js';
import { inviteSecretHash } from './invite.service.js';
import type { InviteRow, SiteRow } from './site.entity.js';

export interface JoinCall {
  site: string;
  inviteId: string;
  inviteSecret: Uint8Array;
  identityKey: Uint8Array;
  request: Uint8Array;
  possession: Uint8Array;
}

/** Who belongs to the consortium, with which identity key and which certificate. */
@Injectable()
export class EnrolmentService {
  constructor(
    private readonly database: Database,
    private readonly repository: EnrolmentRepository,
    private readonly identity: ConsortiumIdentity,
    private readonly publication: PublicationService,
    private readonly notifier: ChangeNotifier,
    private readonly log: Log,
  ) {}

  /**
   * Enrols a site: pins its identity key for good and issues its first certificate. The same site with the same key may ask again
   * (its answer may have been lost); anybody else finds the invite used.
   */
  async join(call: JoinCall): Promise<{ certificate: Uint8Array; enrolment: DsseEnvelope }> {
    const { consortium } = this.identity.facts;
    const message = joinMessage(consortium, call.site, call.inviteId, call.request);
    if (!verifyBytes('join', message, call.possession, call.identityKey)) {
      throw new CoordinatorError('bad-signature', `The proof that "${call.site}" owns its identity key does not verify. Join again.`);
    }
    const identityKey = bytesToHex(call.identityKey);
    const issued = await issueSite(this.identity.authority, call.site, call.request);
    const enrolment = await this.database.transaction(async (manager) => {
      const invite = requireInvite(await this.repository.invite(manager, call.inviteId), call, identityKey);
      const owner = await this.repository.byIdentity(manager, identityKey);
      if (owner !== null && owner.site !== call.site) {
        throw new CoordinatorError(
          'identity-taken',
          `This identity key belongs to the site "${owner.site}". Every site has its own: use another data folder.`,
        );
      }
      const row = await this.#requireSite(manager, call.site);
      requireOpenPlace(row, invite, identityKey);
      const envelope = await this.#enrol(manager, row, identityKey, issued.digest);
      await this.repository.saveInvite(manager, { ...invite, usedBy: identityKey });
      await this.repository.saveSite(manager, {
        ...row,
        state: 'enrolled',
        identityKey,
        certificateDigest: issued.digest,
        certificateExpiresMs: issued.expiresMs,
        enrolment: envelope,
      });
      return envelope;
    });
    await this.publication.follow();
    this.notifier.changed();
    this.log.info('a site joined', { site: call.site });
    return { certificate: issued.certificate, enrolment };
  }

  /** From now on every call of this site is refused, also on connections that are open. */
  async revoke(site: string, reason: string): Promise<void> {
    await this.database.transaction(async (manager) => {
      const row = await this.#requireSite(manager, site);
      if (row.state === 'revoked') return;
      await this.repository.saveSite(manager, { ...row, state: 'revoked' });
      await this.repository.closeInvites(manager, site);
      const { consortium } = this.identity.facts;
      const envelope = signStatement('site-revoked', { consortium, site, reason }, this.identity.operator);
      await this.publication.append(manager, envelope, this.identity.operator.publicKey);
    });
    await this.publication.follow();
    this.notifier.changed();
    this.log.warn('a site was revoked', { site });
  }

  async #requireSite(manager: EntityManager, site: string): Promise<SiteRow> {
    const row = await this.repository.site(manager, site);
    if (row === null) throw new CoordinatorError('unknown-site', `There is no site "${site.slice(0, 60)}" in this consortium.`);
    return row;
  }

  /** A repeated join changes the certificate only, so it gets the act that stands in the ledger already. */
  async #enrol(manager: EntityManager, row: SiteRow, identityKey: string, certificate: string): Promise<DsseEnvelope> {
    if (row.enrolment !== null && row.identityKey === identityKey && row.state === 'enrolled') return row.enrolment;
    const predicate = { consortium: this.identity.facts.consortium, site: row.site, identityKey, certificate };
    const envelope = signStatement('site-enrolled', predicate, this.identity.operator);
    await this.publication.append(manager, envelope, this.identity.operator.publicKey);
    return envelope;
  }
}

/**
 * An invite takes a site that was only invited in, and after that it serves the same identity only to ask again. So a revoked site does not come back by the
 * invite that it came with, and no second invite takes the place of a site that has joined.
 */
function requireOpenPlace(row: SiteRow, invite: InviteRow, identityKey: string): void {
  if (invite.usedBy === null ? row.state === 'invited' : row.state === 'enrolled' && row.identityKey === identityKey) return;
  throw new CoordinatorError(
    'invite-used',
    `The site "${row.site}" is ${row.state}, so the invite ${invite.id} lets nobody in any more. Ask the operator for a new one.`,
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
