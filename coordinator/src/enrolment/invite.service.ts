import { randomBytes } from 'node:crypto';
import {
  type Invite,
  MEMBERSHIP_TABLE,
  type PseudonymOpening,
  certificateFingerprint,
  companyName,
  companySchema,
  inviteText,
  isFinal,
  isPseudonym,
  pseudonymOf,
  siteIdSchema,
} from '@coferment/consortium';
import { bytesToHex, digest } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { EnrolmentRepository } from './enrolment.repository.js';
import type { MemberRole, SiteRow } from './site.entity.js';

const HOUR_MS = 3_600_000;
const MOST_VALID_HOURS = 24 * 30;
const USUAL_VALID_HOURS = 72;

export interface InviteCall {
  /** The name of the member; of a site in a consortium with pseudonyms: the company's own. */
  name: string;
  role: MemberRole;
  /** 0: as long as usual. */
  validHours: number;
  /** `host:port` at which the member reaches the coordinator. */
  address: string;
  /** Whoever brings the invite is in; otherwise the operator admits the identity key. */
  preAdmitted: boolean;
}

/** How an invite's secret is stored. */
export function inviteSecretHash(id: string, secret: Uint8Array): string {
  return digest('invite-secret', id, secret);
}

/** Makes invites: the only way in. */
@Injectable()
export class InviteService {
  constructor(
    private readonly database: Database,
    private readonly repository: EnrolmentRepository,
    private readonly identity: ConsortiumIdentity,
  ) {}

  /** @returns the invite file and the name that stands in it */
  async invite({ name, role, validHours, address, preAdmitted }: InviteCall): Promise<{ invite: string; site: string }> {
    const valid = validHours === 0 ? USUAL_VALID_HOURS : validHours;
    if (valid > MOST_VALID_HOURS)
      throw new CoordinatorError('malformed', `An invite may be valid for at most ${MOST_VALID_HOURS} hours, not ${valid}.`);
    const id = randomBytes(8).toString('hex');
    const secret = randomBytes(32);
    const expiresMs = Date.now() + valid * HOUR_MS;
    const { site, pseudonym } = await this.database.transaction(async (manager) => {
      const named = await this.#name(manager, name, role);
      const row = await this.repository.lockSite(manager, named.site);
      if (row !== null) requireFree(row);
      // Left over from a life before, or for another role: they let nobody in any more.
      if (row !== null && (isFinal(MEMBERSHIP_TABLE, row.state) || row.role !== role))
        await this.repository.closeInvites(manager, named.site);
      await this.repository.saveSite(manager, newMember(named.site, role, named.pseudonym?.company ?? ''));
      const secretHash = inviteSecretHash(id, secret);
      await this.repository.saveInvite(manager, { id, site: named.site, secretHash, expiresMs, usedBy: null, preAdmitted });
      return named;
    });
    const { consortium, origin, operatorKey, logVkey, serverName, authority } = this.identity.facts;
    const invite: Invite = {
      schema: 'coferment-invite/1',
      consortium,
      site,
      role,
      ...(pseudonym === undefined ? {} : { pseudonym }),
      coordinator: address,
      serverName,
      caCertificate: authority,
      caFingerprint: certificateFingerprint(authority) ?? '',
      operatorKey,
      logVkey,
      origin,
      inviteId: id,
      secret: bytesToHex(secret),
      expiresAt: new Date(expiresMs).toISOString(),
    };
    return { invite: inviteText(invite), site };
  }

  async #name(manager: EntityManager, name: string, role: MemberRole): Promise<{ site: string; pseudonym?: PseudonymOpening }> {
    if (role === 'auditor' || this.identity.facts.siteNames === 'plain') {
      if (siteIdSchema.safeParse(name).success) return { site: name };
      throw new CoordinatorError(
        'malformed',
        `"${name.slice(0, 60)}" cannot name a member: use 1 to 40 lower-case letters, digits or hyphens.`,
      );
    }
    const known = isPseudonym(name) ? await this.repository.site(manager, name) : null;
    const company = companySchema.safeParse(known?.company ?? companyName(name));
    if (!company.success)
      throw new CoordinatorError('malformed', `The company name "${name.slice(0, 60)}" ${company.error.issues[0]?.message}.`);
    const pseudonym = { company: company.data, salt: this.#saltOf(company.data) };
    return { site: pseudonymOf(pseudonym), pseudonym };
  }

  /**
   * Random to everybody who lacks the operator's key, and the same again for a company that is invited again: its site keeps its name in the ledger. It is
   * stored nowhere here.
   */
  #saltOf(company: string): string {
    return digest('pseudonym-salt', this.identity.operator.privateKey, company);
  }
}

/** @throws CoordinatorError 'identity-taken' when the name belongs to somebody */
function requireFree({ site, state }: SiteRow): void {
  switch (state) {
    case 'invited':
    case 'left':
    case 'revoked':
      return;
    case 'pending':
      throw new CoordinatorError(
        'identity-taken',
        `"${site}" has used its invite and waits to be admitted. Admit or refuse it first: coferment sites admit ${site}`,
      );
    case 'enrolled':
      throw new CoordinatorError('identity-taken', `"${site}" has already joined. Revoke it first if it needs a new identity.`);
  }
}

function newMember(site: string, role: MemberRole, company: string): SiteRow {
  return {
    site,
    role,
    state: MEMBERSHIP_TABLE.initial,
    identityKey: null,
    certificateDigest: null,
    certificateExpiresMs: null,
    enrolment: null,
    lastPollMs: 0,
    polledAt: '',
    waitMs: 0,
    authorities: 0,
    company,
  };
}
