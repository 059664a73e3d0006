import { openStatement } from '@coferment/consortium';
import { type DsseEnvelope, bytesToHex, hexToBytes } from '@coferment/crypto';
import { parseVkey } from '@coferment/ledger';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { requireEnrolled } from '../enrolment/membership.rule.js';
import type { SiteMember } from '../enrolment/site.entity.js';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { Log } from '../telemetry/log.js';
import { statementsOfRoll } from './roll.statements.js';
import { WitnessKeys } from './witness-key.rule.js';
import { WitnessingRepository } from './witnessing.repository.js';

/** Writes down with which key a site cosigns. */
@Injectable()
export class WitnessKeyService {
  /** Two sites that bring the same key at once are one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #keys: WitnessKeys;
  /** Entries that the keys were read from. */
  #size = 0;

  constructor(
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly repository: WitnessingRepository,
    private readonly publication: PublicationService,
    private readonly identity: ConsortiumIdentity,
    private readonly log: Log,
  ) {
    const { operatorKey, logVkey } = identity.facts;
    this.#keys = new WitnessKeys([operatorKey, bytesToHex(parseVkey(logVkey).publicKey)]);
  }

  /** @returns the digest of the act. @throws CoordinatorError, ConsortiumError, CryptoError */
  take(member: SiteMember, envelope: DsseEnvelope): Promise<string> {
    const result = this.#turn.then(() => this.#take(member, envelope));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #take({ site, identityKey }: SiteMember, envelope: DsseEnvelope): Promise<string> {
    const { consortium } = this.identity.facts;
    const publicKey = hexToBytes(identityKey);
    const statement = openStatement('witness-key', envelope, publicKey);
    const { predicate, digest } = statement;
    if (predicate.site !== site)
      throw new CoordinatorError('forbidden', `"${site}" sends a witness-key of "${predicate.site}". Every site sends its own.`);
    if (predicate.consortium !== consortium)
      throw new CoordinatorError('other-consortium', `The witness-key is for the consortium "${predicate.consortium}", not this one.`);
    const isNew = await this.database.transaction(async (manager) => {
      const row = await this.enrolment.lockSite(manager, site);
      if (row?.identityKey !== identityKey)
        throw new CoordinatorError('site-revoked', `"${site}" has another identity key now. Ask the operator.`);
      requireEnrolled(row);
      // Another coordinator may be taking the same key from another site: nobody appends between the reading of the keys and this one.
      await this.publication.lockedSize(manager);
      await this.#follow(manager);
      if (!this.#keys.admit(statement)) return false;
      await this.publication.append(manager, envelope, publicKey);
      return true;
    });
    await this.publication.follow();
    if (isNew) this.log.info('a site has a witness key', { site });
    return digest;
  }

  /** Entries get their places one transaction after the other, so what is read is committed and has no gaps: none below it is still to come. */
  async #follow(manager: EntityManager): Promise<void> {
    const rows = await this.repository.roll(manager, this.#size, Number.MAX_SAFE_INTEGER);
    for (const statement of statementsOfRoll(rows)) this.#keys.follow(statement);
    this.#size = (rows.at(-1)?.index ?? this.#size - 1) + 1;
  }
}
