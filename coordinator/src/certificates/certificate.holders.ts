import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import type { SiteRow } from '../enrolment/site.entity.js';
import { Database } from '../persistence/database.js';
import { RenewalRepository } from './renewal.repository.js';

/** Whose a client certificate is. */
@Injectable()
export class CertificateHolders {
  constructor(
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly renewals: RenewalRepository,
  ) {}

  /**
   * The member that holds this certificate: its newest one, or for a short overlap the one before. Without the overlap a renewal would fail every call that
   * the agent had begun to make on its old connection. @param digest SHA-256, DER
   */
  of(digest: string): Promise<SiteRow | null> {
    return this.database.transaction(async (manager) => {
      const row = await this.enrolment.byCertificate(manager, digest);
      if (row !== null) return row;
      const renewal = await this.renewals.byPrevious(manager, digest, Date.now());
      const holder = renewal === null ? null : await this.enrolment.site(manager, renewal.site);
      return holder?.identityKey === renewal?.identityKey ? holder : null;
    });
  }
}
