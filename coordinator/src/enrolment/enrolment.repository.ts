import { Injectable } from '@nestjs/common';
import { type EntityManager, IsNull, MoreThan } from 'typeorm';
import { InviteEntity, type InviteRow, SiteEntity, type SiteMember, type SiteRow } from './site.entity.js';

/** In the place of an invite's end: it lets nobody in, and whoever came by it is a member no longer. */
const SPENT = 0;

@Injectable()
export class EnrolmentRepository {
  site(manager: EntityManager, site: string): Promise<SiteRow | null> {
    return manager.findOneBy(SiteEntity, { site });
  }

  /** Locked until the transaction ends: a revocation and what a member asks for at that moment are one after the other. */
  lockSite(manager: EntityManager, site: string): Promise<SiteRow | null> {
    return manager.findOne(SiteEntity, { where: { site }, lock: { mode: 'pessimistic_write' } });
  }

  sites(manager: EntityManager): Promise<SiteRow[]> {
    return manager.find(SiteEntity, { order: { site: 'ASC' } });
  }

  byCertificate(manager: EntityManager, certificateDigest: string): Promise<SiteRow | null> {
    return manager.findOneBy(SiteEntity, { certificateDigest });
  }

  byIdentity(manager: EntityManager, identityKey: string): Promise<SiteRow | null> {
    return manager.findOneBy(SiteEntity, { identityKey });
  }

  byCompany(manager: EntityManager, company: string): Promise<SiteRow | null> {
    return manager.findOneBy(SiteEntity, { company });
  }

  async saveSite(manager: EntityManager, row: SiteRow): Promise<void> {
    await manager.save(SiteEntity, row);
  }

  /** With all its invites. */
  async removeSite(manager: EntityManager, site: string): Promise<void> {
    await manager.delete(InviteEntity, { site });
    await manager.delete(SiteEntity, { site });
  }

  /** Of this identity: a poll that is older than a change of the name's owner says nothing of the new one. */
  async notePoll(
    manager: EntityManager,
    { site, identityKey }: SiteMember,
    poll: Pick<SiteRow, 'lastPollMs' | 'polledAt' | 'waitMs' | 'authorities'>,
  ): Promise<void> {
    await manager.update(SiteEntity, { site, identityKey }, poll);
  }

  /** Locked until the transaction ends, so that two joins with one invite are one after the other. */
  invite(manager: EntityManager, id: string): Promise<InviteRow | null> {
    return manager.findOne(InviteEntity, { where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async saveInvite(manager: EntityManager, row: InviteRow): Promise<void> {
    await manager.save(InviteEntity, row);
  }

  /** Invites that somebody could still use. */
  openInvites(manager: EntityManager, nowMs: number): Promise<InviteRow[]> {
    return manager.findBy(InviteEntity, { usedBy: IsNull(), expiresMs: MoreThan(nowMs) });
  }

  /** Of the membership that this key had: it has ended, and the key begins no other one. */
  async spend(manager: EntityManager, identityKey: string): Promise<void> {
    await manager.update(InviteEntity, { usedBy: identityKey }, { expiresMs: SPENT });
  }

  isSpent(manager: EntityManager, identityKey: string): Promise<boolean> {
    return manager.existsBy(InviteEntity, { usedBy: identityKey, expiresMs: SPENT });
  }

  /** Lets nobody in by an invite of this site that was not used yet. */
  async closeInvites(manager: EntityManager, site: string): Promise<void> {
    await manager.getRepository(InviteEntity).update({ site, usedBy: IsNull() }, { expiresMs: SPENT });
  }
}
