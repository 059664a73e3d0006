import { openStatement } from '@coferment/consortium';
import { type DsseEnvelope, bytesToHex, hexToBytes } from '@coferment/crypto';
import { parseVkey } from '@coferment/ledger';
import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { requireEnrolled } from '../enrolment/membership.rule.js';
import type { SiteMember } from '../enrolment/site.entity.js';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { Log } from '../telemetry/log.js';
import { statementsOfRoll } from './roll.statements.js';
import { admitWitnessKey } from './witness-key.rule.js';
import { WitnessingRepository } from './witnessing.repository.js';

/** Writes down with which key a site cosigns. */
@Injectable()
export class WitnessKeyService {
  /** Two sites that bring the same key at once are one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly repository: WitnessingRepository,
    private readonly publication: PublicationService,
    private readonly identity: ConsortiumIdentity,
    private readonly log: Log,
  ) {}

  /** @returns the digest of the act. @throws CoordinatorError, ConsortiumError, CryptoError */
  take(member: SiteMember, envelope: DsseEnvelope): Promise<string> {
    const result = this.#turn.then(() => this.#take(member, envelope));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #take({ site, identityKey }: SiteMember, envelope: DsseEnvelope): Promise<string> {
    const { consortium, operatorKey, logVkey } = this.identity.facts;
    const publicKey = hexToBytes(identityKey);
    const statement = openStatement('witness-key', envelope, publicKey);
    const { predicate, digest } = statement;
    if (predicate.site !== site)
      throw new CoordinatorError('forbidden', `"${site}" sends a witness-key of "${predicate.site}". Every site sends its own.`);
    if (predicate.consortium !== consortium)
      throw new CoordinatorError('other-consortium', `The witness-key is for the consortium "${predicate.consortium}", not this one.`);
    const others = [operatorKey, bytesToHex(parseVkey(logVkey).publicKey)];
    const isNew = await this.database.transaction(async (manager) => {
      const row = await this.enrolment.lockSite(manager, site);
      if (row?.identityKey !== identityKey)
        throw new CoordinatorError('site-revoked', `"${site}" has another identity key now. Ask the operator.`);
      requireEnrolled(row);
      const roll = statementsOfRoll(await this.repository.roll(manager, 0, Number.MAX_SAFE_INTEGER));
      if (!admitWitnessKey(statement, roll, others)) return false;
      await this.publication.append(manager, envelope, publicKey);
      return true;
    });
    await this.publication.follow();
    if (isNew) this.log.info('a site has a witness key', { site });
    return digest;
  }
}
