import { X509Certificate } from 'node:crypto';
import { MEMBERSHIP_TABLE } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import type { MemberRole, SiteMember } from '../enrolment/site.entity.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { Presence } from '../rounds/presence.js';
import { Clock } from '../telemetry/clock.js';
import { Metrics } from '../telemetry/metrics.js';

/** As the plan's own number if it says nothing: a site is absent after so many missed polls. */
const USUAL_ABSENT_AFTER_POLLS = 3;
/** A roster has no more, so a consortium needs no more series. */
const MOST_SITES = 128;
const ROLES: readonly MemberRole[] = ['site', 'auditor'];

/** Who is in, who polls, and whose certificate runs out. Sites are named as in the ledger: by pseudonym where the charter says so. */
@Injectable()
export class SiteGauges {
  constructor(
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly presence: Presence,
    private readonly clock: Clock,
    private readonly identity: ConsortiumIdentity,
    private readonly metrics: Metrics,
  ) {}

  async refresh(setAside: ReadonlyMap<string, number>): Promise<void> {
    const rows = await this.database.transaction((manager) => this.enrolment.sites(manager));
    const { sites, sitePresent, sitePolled, siteSetAside, siteCertificate } = this.metrics;
    for (const role of ROLES) for (const state of Object.keys(MEMBERSHIP_TABLE.transitions)) sites.set({ role, state }, 0);
    for (const { role, state } of rows) sites.inc({ role, state });
    for (const gauge of [sitePresent, sitePolled, siteSetAside, siteCertificate]) gauge.reset();
    const enrolled = rows.filter(({ role, state }) => role === 'site' && state === 'enrolled').slice(0, MOST_SITES);
    const members = enrolled.flatMap(({ site, identityKey }): SiteMember[] => (identityKey === null ? [] : [{ site, identityKey }]));
    const absent = this.presence.absent(members, this.clock.steadyMs(), USUAL_ABSENT_AFTER_POLLS);
    for (const { site, lastPollMs, certificateExpiresMs } of enrolled) {
      sitePresent.set({ site }, absent.has(site) ? 0 : 1);
      sitePolled.set({ site }, lastPollMs / 1000);
      siteSetAside.set({ site }, setAside.get(site) ?? 0);
      if (certificateExpiresMs !== null) siteCertificate.set({ site }, certificateExpiresMs / 1000);
    }
    this.#ownCertificates();
  }

  #ownCertificates(): void {
    const { server, authority, facts } = this.identity;
    const own = { server: server.certificate, authority: authority.certificate, operator: facts.operatorCertificate };
    for (const [certificate, pem] of Object.entries(own))
      this.metrics.ownCertificate.set({ certificate }, Date.parse(new X509Certificate(pem).validTo) / 1000);
  }
}
