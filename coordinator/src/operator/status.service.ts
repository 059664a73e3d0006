import { GetStatusResponse, type RunStatus, type SiteStatus } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { authorityFingerprint } from '../certificates/authority.rollover.js';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import type { InviteRow, SiteRow } from '../enrolment/site.entity.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { DamagedFiles } from '../runs/damaged.files.js';
import type { RunView } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { WitnessingService } from '../witnessing/witnessing.service.js';
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
    private readonly witnessing: WitnessingService,
  ) {}

  of(view: RunView): RunStatus {
    return runStatus(view, this.damages.whatToDo(view));
  }

  async status(): Promise<GetStatusResponse> {
    const { consortium, origin, logVkey, operatorKey, ledgerReaders, siteNames } = this.identity.facts;
    const { sequence, certificates } = this.identity.authorities;
    const { sites, invites } = await this.database.transaction(async (manager) => ({
      sites: await this.enrolment.sites(manager),
      invites: await this.enrolment.openInvites(manager, Date.now()),
    }));
    await this.witnessing.freshen();
    const runs = (await this.views.all()).map((view) => this.of(view));
    return GetStatusResponse.fromPartial({
      consortium,
      origin,
      logVkey,
      operatorKey,
      sites: sites.map((row) => siteStatus(row, invites)),
      runs,
      ledgerSize: this.publication.size,
      ledgerReaders,
      siteNames,
      authorities: sequence,
      authorityFingerprints: certificates.map(authorityFingerprint),
    });
  }
}

function siteStatus(row: SiteRow, invites: readonly InviteRow[]): SiteStatus {
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
    inviteExpiresMs: Math.max(0, ...invites.flatMap((invite) => (invite.site === site ? [invite.expiresMs] : []))),
  };
}
