import { randomBytes } from 'node:crypto';
import { inviteText, siteIdSchema } from '@coferment/consortium';
import { bytesToHex, digest } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { EnrolmentRepository } from './enrolment.repository.js';
import type { SiteRow } from './site.entity.js';

const HOUR_MS = 3_600_000;
const MOST_VALID_HOURS = 24 * 30;
const USUAL_VALID_HOURS = 72;

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

  /** @param address `host:port` at which the site reaches the coordinator. @returns the invite file */
  async invite(site: string, validHours: number, address: string): Promise<string> {
    if (!siteIdSchema.safeParse(site).success) {
      throw new CoordinatorError(
        'malformed',
        `"${site.slice(0, 60)}" cannot name a site: use 1 to 40 lower-case letters, digits or hyphens.`,
      );
    }
    const valid = validHours === 0 ? USUAL_VALID_HOURS : validHours;
    if (valid > MOST_VALID_HOURS)
      throw new CoordinatorError('malformed', `An invite may be valid for at most ${MOST_VALID_HOURS} hours, not ${valid}.`);
    const id = randomBytes(8).toString('hex');
    const secret = randomBytes(32);
    const expiresMs = Date.now() + valid * HOUR_MS;
    await this.database.transaction(async (manager) => {
      const row = await this.repository.site(manager, site);
      if (row?.state === 'enrolled') {
        throw new CoordinatorError('identity-taken', `The site "${site}" has already joined. Revoke it first if it needs a new identity.`);
      }
      await this.repository.saveSite(manager, newSite(site));
      await this.repository.saveInvite(manager, {
        id,
        site,
        secretHash: inviteSecretHash(id, secret),
        expiresMs,
        usedBy: null,
        preAdmitted: true,
      });
    });
    const { consortium, origin, operatorKey, logVkey, serverName, authority } = this.identity.facts;
    return inviteText({
      schema: 'coferment-invite/1',
      consortium,
      site,
      coordinator: address,
      serverName,
      caCertificate: authority,
      operatorKey,
      logVkey,
      origin,
      inviteId: id,
      secret: bytesToHex(secret),
      expiresAt: new Date(expiresMs).toISOString(),
    });
  }
}

function newSite(site: string): SiteRow {
  return {
    site,
    role: 'site',
    state: 'invited',
    identityKey: null,
    certificateDigest: null,
    certificateExpiresMs: null,
    enrolment: null,
    lastPollMs: 0,
    waitMs: 0,
    authorities: 0,
    company: '',
  };
}
