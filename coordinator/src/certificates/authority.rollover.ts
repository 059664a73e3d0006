import { X509Certificate } from 'node:crypto';
import { signStatement } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { CoordinatorError } from '../errors/index.js';
import { MOST_ROLLOVERS_MISSED, createAuthority, crossSign, issueServer } from '../identity/certificate.authority.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { Replicas } from '../replicas/replicas.service.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { Log } from '../telemetry/log.js';
import { AuthoritiesRepository } from './authorities.repository.js';
import { renewOperator } from './own.certificates.js';

/** SHA-256 of a certificate, hex. @param pem X.509 */
export function authorityFingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase();
}

/**
 * A new certificate authority beside the old one, and later in its place. Both changes are ONE write of `secrets.sealed`, with the signed act in it. What
 * follows from it (ledger, public facts, the operator's certificate) is done after, and again at every start: whenever the process is killed, it is either
 * before the change or on the way to its end.
 */
@Injectable()
export class AuthorityRollover {
  constructor(
    private readonly identity: ConsortiumIdentity,
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly repository: AuthoritiesRepository,
    private readonly publication: PublicationService,
    private readonly notifier: ChangeNotifier,
    private readonly log: Log,
    private readonly replicas: Replicas,
  ) {}

  /** Ends what a killed coordinator has begun. @throws CoordinatorError 'folder-unusable' for keys from before a change that the ledger knows of */
  open(): Promise<void> {
    return this.identity.exclusively(() => this.#resume());
  }

  /** @throws CoordinatorError 'overlap-open' while an earlier one is under way, 'folder-unusable' when the old authority cannot certify a new one, 'replicas-running' */
  roll(): Promise<{ sequence: number; fingerprint: string }> {
    return this.identity.exclusively(async () => {
      await this.replicas.requireAlone('A new certificate authority');
      await this.#resume();
      const { identity } = this;
      const { sequence: last, certificates } = identity.authorities;
      if (certificates.length > 1) {
        throw new CoordinatorError(
          'overlap-open',
          `Authority ${authorityFingerprint(certificates[0]!).slice(0, 16)}… has not taken the place of the one before yet (act ${last}). End that first: coferment ca retire`,
        );
      }
      const sequence = last + 1;
      const authority = { ...(await createAuthority(identity.facts.consortium, sequence)), lifeMs: identity.authority.lifeMs };
      const cross = await crossSign(identity.authority, authority.certificate);
      const server = await issueServer(authority, identity.facts.serverName);
      const { privateKey, certificate } = authority;
      identity.keepSecrets({
        authority: { privateKey, certificate },
        server,
        rollover: {
          act: this.#act(sequence, [certificate, ...certificates]),
          cross: [cross, ...identity.crossCertificates].slice(0, MOST_ROLLOVERS_MISSED),
        },
      });
      await this.#complete();
      this.log.warn('a new certificate authority was made');
      return { sequence, fingerprint: authorityFingerprint(certificate) };
    });
  }

  /**
   * From here on only the newest authority is believed.
   * @returns sites that have not taken it in; they come back by the cross certificate and renew by their identity keys
   * @throws CoordinatorError 'no-overlap', 'sites-behind' unless forced, 'replicas-running'
   */
  retire(force: boolean): Promise<{ sequence: number; behind: string[] }> {
    return this.identity.exclusively(async () => {
      await this.replicas.requireAlone('Retiring a certificate authority');
      await this.#resume();
      const { identity } = this;
      const { sequence: last, certificates } = identity.authorities;
      if (certificates.length === 1)
        throw new CoordinatorError(
          'no-overlap',
          'Only one authority is believed, so there is none to retire. Make a new one first: coferment ca roll',
        );
      const sites = await this.database.transaction((manager) => this.enrolment.sites(manager));
      // Auditors do not poll, so they never say what they know: they renew when they come next.
      const told = sites.filter(({ state, role }) => state === 'enrolled' && role === 'site');
      const behind = told.filter(({ authorities }) => authorities < last).map(({ site }) => site);
      if (behind.length > 0 && !force) {
        throw new CoordinatorError(
          'sites-behind',
          `${behind.length} of the members have not taken in act ${last} yet: ${behind.join(', ')}. Wait until they were connected, or retire the old authority without them (--force): they renew when they come back.`,
        );
      }
      const sequence = last + 1;
      identity.keepSecrets({ rollover: { act: this.#act(sequence, certificates.slice(0, 1)), cross: [...identity.crossCertificates] } });
      await this.#complete();
      this.log.warn('the old certificate authority was retired');
      return { sequence, behind };
    });
  }

  #act(sequence: number, certificates: string[]) {
    const { operator, facts } = this.identity;
    return signStatement('authorities', { consortium: facts.consortium, sequence, certificates }, operator);
  }

  /** Another coordinator with a copy of these keys may have gone further on the same database: what this one would sign next is signed already. */
  async #resume(): Promise<void> {
    const published = await this.database.transaction((manager) => this.repository.newest(manager));
    const { sequence } = this.identity.authorities;
    if (published > sequence) {
      throw new CoordinatorError(
        'folder-unusable',
        `The ledger has authorities act ${published}, but secrets.sealed is from the time of act ${sequence}. Restore the newest copy of the data folder: with these keys no site would believe this coordinator.`,
      );
    }
    await this.#complete();
  }

  /** Every step looks first whether it has been done. */
  async #complete(): Promise<void> {
    const { identity } = this;
    const { sequence, act } = identity.authorities;
    if (act === undefined) return;
    await this.database.transaction(async (manager) => {
      const recorded = await this.repository.find(manager, sequence);
      if (recorded?.act.payload === act.payload) return;
      if (recorded !== null) {
        throw new CoordinatorError(
          'folder-unusable',
          `The ledger has another authorities act ${sequence} than secrets.sealed: two coordinators with copies of the same keys worked on this database. Stop this one, and restore the folder of the other.`,
        );
      }
      await this.repository.insert(manager, { sequence, act });
      await this.publication.append(manager, act, identity.operator.publicKey);
    });
    await this.publication.follow();
    if (identity.facts.authority !== identity.authority.certificate) await renewOperator(identity);
    this.notifier.changed();
  }
}
