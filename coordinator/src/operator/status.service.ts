import { GetStatusResponse, type RunStatus, type SiteStatus } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { authorityFingerprint } from '../certificates/authority.rollover.js';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import type { SiteRow } from '../enrolment/site.entity.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { DamagedFiles } from '../runs/damaged.files.js';
import type { RunView } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { runStatus } from './run.status.js';

/** The consortium at a glance. */
@Injectable()
export class StatusService {
  constructor(
    private readonly identity: ConsortiumIdentity,
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly views: RunViews,
    private readonly publication: PublicationService,
    private readonly damages: DamagedFiles,
  ) {}

  of(view: RunView): RunStatus {
    return runStatus(view, this.damages.whatToDo(view));
  }

  async status(): Promise<GetStatusResponse> {
    const { consortium, origin, logVkey, operatorKey } = this.identity.facts;
    const sites = await this.database.transaction((manager) => this.enrolment.sites(manager));
    const { sequence, certificates } = this.identity.authorities;
    const runs = (await this.views.all()).map((view) => this.of(view));
    return GetStatusResponse.fromPartial({
      consortium,
      origin,
      logVkey,
      operatorKey,
      sites: sites.map(siteStatus),
      runs,
      ledgerSize: this.publication.size,
      authorities: sequence,
      authorityFingerprints: certificates.map(authorityFingerprint),
    });
  }
}

function siteStatus(row: SiteRow): SiteStatus {
  const { site, state, identityKey, lastPollMs, certificateExpiresMs, role, authorities, company } = row;
  return {
    site,
    state,
    identityKey: identityKey ?? '',
    lastPollMs,
    certificateExpiresMs: certificateExpiresMs ?? 0,
    role,
    authorities,
    company,
    inviteExpiresMs: 0,
  };
}
