import { renewMessage } from '@coferment/consortium';
import { hexToBytes, verifyBytes } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { requireEnrolled } from '../enrolment/membership.rule.js';
import type { SiteRow } from '../enrolment/site.entity.js';
import { CoordinatorError } from '../errors/index.js';
import { issueSite } from '../identity/certificate.authority.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { Log } from '../telemetry/log.js';
import type { RenewalRow } from './renewal.entity.js';
import { RenewalRepository } from './renewal.repository.js';

export interface RenewCall {
  site: string;
  agentTimeMs: number;
  request: Uint8Array;
  possession: Uint8Array;
}

/** Longer than an agent takes to change over, shorter than a thief of a copied key would like. */
const OVERLAP_MS = 600_000;
/** In the place of the agent's time, for a certificate that only a repeated join has replaced. */
const NEVER_RENEWED = 0;

/** New certificates for members that have one, or had: the pinned identity key signs for it, so it works after any absence until the member is revoked. */
@Injectable()
export class RenewalService {
  constructor(
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly renewals: RenewalRepository,
    private readonly identity: ConsortiumIdentity,
    private readonly log: Log,
  ) {}

  async renew(call: RenewCall): Promise<{ certificate: Uint8Array }> {
    // Looked at twice: nothing inside the transaction may wait for the signing, and nobody may have certificates signed for nothing.
    this.#requireOwner(await this.database.transaction((manager) => this.enrolment.site(manager, call.site)), call);
    const issued = await issueSite(this.identity.authority, call.site, call.request);
    await this.database.transaction(async (manager) => {
      const row = this.#requireOwner(await this.enrolment.lockSite(manager, call.site), call);
      const { identityKey } = row;
      await this.#requireLater(manager, row, identityKey, call);
      await this.renewals.replaceCertificate(manager, row.site, issued.digest, issued.expiresMs);
    });
    this.log.info('a certificate was renewed', { site: call.site });
    return { certificate: issued.certificate };
  }

  /**
   * A join that is repeated because its answer was lost replaces a certificate too, and the one before stays good as long. After the first renewal there is none to
   * repeat: a recorded join, sent then, would displace the certificate of an agent that has thrown the key away. @throws CoordinatorError 'invite-used'
   */
  async repeatJoin(manager: EntityManager, row: SiteRow & { identityKey: string }): Promise<void> {
    const { site, identityKey } = row;
    const last = await this.renewals.newest(manager, site);
    if (last?.identityKey === identityKey && last.agentTimeMs !== NEVER_RENEWED) {
      throw new CoordinatorError(
        'invite-used',
        `"${site}" has joined, and has renewed its certificate since: its invite is of no use any more. Its agent renews by the identity key; if its member.json is lost, restore the folder from a backup.`,
      );
    }
    await this.renewals.save(manager, { site, identityKey, agentTimeMs: NEVER_RENEWED, ...previousOf(row) });
  }

  /** The signature first: a stranger hears the same of every name, whether it is a member's, was one's, or is nobody's. */
  #requireOwner(row: SiteRow | null, call: RenewCall): SiteRow & { identityKey: string } {
    const identityKey = row?.identityKey ?? null;
    const message = renewMessage(this.identity.facts.consortium, call.site, call.agentTimeMs, call.request);
    if (row === null || identityKey === null || !verifyBytes('renew', message, call.possession, hexToBytes(identityKey))) {
      throw new CoordinatorError(
        'bad-signature',
        `The renewal is not signed by the identity key of a member "${call.site.slice(0, 60)}". If another one has taken its place, ask the operator.`,
      );
    }
    requireEnrolled(row);
    if (row.enrolment === null)
      throw new CoordinatorError('unauthenticated', `"${call.site}" has no certificate to renew yet. Join with the invite.`);
    return { ...row, identityKey };
  }

  /**
   * A recorded renewal, sent again, would be answered with a certificate for a key that the agent has thrown away, and its good one would no longer be
   * accepted. So an agent's renewals grow in its own time, and a row says how far they have come.
   */
  async #requireLater(manager: EntityManager, row: SiteRow, identityKey: string, { agentTimeMs }: RenewCall): Promise<void> {
    const last = await this.renewals.newest(manager, row.site);
    if (last?.identityKey === identityKey && agentTimeMs <= last.agentTimeMs) {
      throw new CoordinatorError(
        'renewal-replayed',
        `This renewal of "${row.site}" says it was made at ${shown(agentTimeMs)}; one made at ${shown(last.agentTimeMs)} has been answered already. If the clock of the site was set back, the next try after that time works.`,
      );
    }
    await this.renewals.save(manager, {
      site: row.site,
      identityKey,
      agentTimeMs,
      ...previousOf(row),
    });
  }
}

function previousOf({ certificateDigest, certificateExpiresMs }: SiteRow): Pick<RenewalRow, 'previousDigest' | 'previousUntilMs'> {
  return { previousDigest: certificateDigest ?? '', previousUntilMs: Math.min(Date.now() + OVERLAP_MS, certificateExpiresMs ?? 0) };
}

function shown(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
