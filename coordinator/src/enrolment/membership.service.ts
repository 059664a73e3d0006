import { openStatement, peekStatement } from '@coferment/consortium';
import { type DsseEnvelope, hexToBytes } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { countsOn } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { Log } from '../telemetry/log.js';
import { EnrolmentRepository } from './enrolment.repository.js';
import { revocationAct } from './membership.acts.js';
import { impossible, moved } from './membership.rule.js';
import type { SiteRow } from './site.entity.js';

/** What becomes of a membership after its invite: admitted or refused, ended by the operator or by the site. One name's change never touches another's rows. */
@Injectable()
export class MembershipService {
  constructor(
    private readonly database: Database,
    private readonly repository: EnrolmentRepository,
    private readonly views: RunViews,
    private readonly identity: ConsortiumIdentity,
    private readonly publication: PublicationService,
    private readonly notifier: ChangeNotifier,
    private readonly log: Log,
  ) {}

  /** Lets a waiting identity key in. It is named, so that the key that was seen and no other one gets in. Repeating it changes nothing. */
  async admit(site: string, identityKey: string): Promise<void> {
    await this.database.transaction(async (manager) => {
      const row = await this.#requireMember(manager, site);
      if (row.identityKey !== null && row.identityKey !== identityKey) {
        throw new CoordinatorError(
          'other-identity',
          `"${site}" waits with the identity key ${row.identityKey}, not ${identityKey}. Nobody was admitted; look again: coferment sites list`,
        );
      }
      if (row.state === 'enrolled') return;
      // An invite that admits by itself is the only other way from here to there.
      if (row.state !== 'pending') throw impossible(row);
      await this.repository.saveSite(manager, { ...row, state: moved(row, 'enrol') });
    });
    this.log.info('a member was admitted', { site });
  }

  /** The waiting identity gets no further. The ledger says nothing of it: it never was a member. */
  async refuse(site: string): Promise<void> {
    await this.database.transaction(async (manager) => {
      const row = await this.#requireMember(manager, site);
      await this.repository.saveSite(manager, { ...row, state: moved(row, 'refuse') });
      await this.repository.closeInvites(manager, site);
    });
    this.log.warn('a member was refused', { site });
  }

  /** From now on every call of this member is refused, also on connections that are open. */
  async revoke(site: string, reason: string): Promise<void> {
    await this.#end(site, (manager, row) => this.#revoke(manager, row, reason));
    this.log.warn('a member was revoked', { site });
  }

  /** Ends a membership in order. @throws CoordinatorError 'in-runs' while a run that is not over counts on it */
  async remove(site: string, reason: string): Promise<void> {
    const views = await this.views.all();
    await this.#end(site, async (manager, row) => {
      const runs = views.filter((view) => countsOn(view, row)).map(({ run }) => run.run);
      if (runs.length > 0) {
        throw new CoordinatorError(
          'in-runs',
          `"${site}" is counted on by ${runs.join(', ')}. Let them end, leave the site out (coferment epochs renew RUN --leave-out ${site}) or abort them first; "coferment revoke ${site}" does not wait.`,
        );
      }
      if (row.state === 'invited' || row.state === 'pending') await this.repository.removeSite(manager, site);
      else await this.#revoke(manager, row, reason);
    });
    this.log.warn('a member was removed', { site });
  }

  /**
   * The site's own act, which nobody can refuse: the coordinator only writes it down. Whether runs still count on the site is asked at the site, before it signs.
   * @returns the digest of the act. @throws CoordinatorError, ConsortiumError, CryptoError
   */
  async leave(site: string, envelope: DsseEnvelope): Promise<string> {
    const { digest } = peekStatement(envelope);
    await this.#end(site, async (manager, row) => {
      const publicKey = hexToBytes(row.identityKey ?? '');
      const { predicate } = openStatement('site-left', envelope, publicKey);
      const { consortium } = this.identity.facts;
      if (predicate.site !== site)
        throw new CoordinatorError('forbidden', `"${site}" sends a site-left of "${predicate.site}". Every site leaves by its own word.`);
      if (predicate.consortium !== consortium)
        throw new CoordinatorError('other-consortium', `The site-left is for the consortium "${predicate.consortium}", not this one.`);
      await this.repository.saveSite(manager, { ...row, state: moved(row, 'leave') });
      await this.repository.closeInvites(manager, site);
      await this.repository.spend(manager, row.identityKey ?? '');
      await this.publication.append(manager, envelope, publicKey);
    });
    this.log.warn('a site left', { site });
    return digest;
  }

  async #end(site: string, work: (manager: EntityManager, row: SiteRow) => Promise<void>): Promise<void> {
    await this.database.transaction(async (manager) => work(manager, await this.#requireMember(manager, site)));
    await this.publication.follow();
    this.notifier.changed();
  }

  async #revoke(manager: EntityManager, row: SiteRow, reason: string): Promise<void> {
    if (row.state === 'revoked') return;
    await this.repository.saveSite(manager, { ...row, state: moved(row, 'revoke') });
    await this.repository.closeInvites(manager, row.site);
    // Whoever was never enrolled cannot be struck out of the ledger.
    if (row.enrolment === null) return;
    await this.repository.spend(manager, row.identityKey ?? '');
    await this.publication.append(manager, revocationAct(row, reason, this.identity), this.identity.operator.publicKey);
  }

  async #requireMember(manager: EntityManager, site: string): Promise<SiteRow> {
    const row = await this.repository.lockSite(manager, site);
    if (row === null) throw new CoordinatorError('unknown-site', `There is no site "${site.slice(0, 60)}" in this consortium.`);
    return row;
  }
}
