import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex } from '@coferment/crypto';
import { joinConsortium } from '../../client-agent/src/enrolment/join.flow.js';
import type { Membership } from '../../client-agent/src/enrolment/membership.file.js';
import { KeyStore } from '../../client-agent/src/keys/key.store.js';
import { openSiteIdentity, readTlsCredential } from '../../client-agent/src/keys/site.identity.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { ask } from '../../coordinator/src/cli/operator.client.js';
import type { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { SiteCalls } from '../../coordinator/src/testing/site-calls.fixture.js';

export const PASSPHRASE = 'a passphrase for tests';

export interface Invitation {
  preAdmitted?: boolean;
  role?: 'site' | 'auditor';
}

/** The operator's commands, as calls. */
export class Operator {
  constructor(private readonly coordinator: TestCoordinator) {}

  get #client() {
    return this.coordinator.operator.operator;
  }

  async invite(site: string, { preAdmitted = false, role = 'site' }: Invitation = {}): Promise<string> {
    return (await ask(this.#client.createInvite.bind(this.#client), { site, validHours: 1, address: '', preAdmitted, role })).invite;
  }

  async member(site: string) {
    const { sites } = await this.status();
    return sites.find((entry) => entry.site === site);
  }

  status = () => ask(this.#client.getStatus.bind(this.#client), {});
  admit = (site: string, identityKey: string) => ask(this.#client.admitSite.bind(this.#client), { site, identityKey });
  refuse = (site: string) => ask(this.#client.refuseSite.bind(this.#client), { site });
  remove = (site: string, reason = '') => ask(this.#client.removeSite.bind(this.#client), { site, reason });
  revoke = (site: string, reason = '') => ask(this.#client.revokeSite.bind(this.#client), { site, reason });
}

/** A member's folder, joined by the agent's own join. */
export class Member {
  readonly folder = join(temporaryFolder('member'), 'data');
  membership!: Membership;
  /** What the agent showed while it joined. */
  words = '';
  waited = 0;
  #store: KeyStore | undefined;

  /** @param invite text of an invite file, or undefined to go on without one */
  async join(invite?: string, waitMs = 0): Promise<this> {
    const file = join(temporaryFolder('invite'), 'invite');
    if (invite !== undefined) writeFileSync(file, invite);
    const input = { folder: this.folder, passphrase: PASSPHRASE, waitMs, ...(invite === undefined ? {} : { inviteFile: file }) };
    this.membership = await joinConsortium(input, {
      keysMade: (_, words) => (this.words = words.join(' ')),
      waiting: () => this.waited++,
      stillWaiting: () => undefined,
    });
    return this;
  }

  /** Opened once: the passphrase takes its time on purpose. */
  get store(): KeyStore {
    return (this.#store ??= KeyStore.open(join(this.folder, 'keys'), PASSPHRASE));
  }

  get identity() {
    return openSiteIdentity(this.store).identity;
  }

  get identityKey(): string {
    return bytesToHex(this.identity.publicKey);
  }

  /** Calls with this member's certificate. */
  calls(): SiteCalls {
    const { coordinator, serverName, caCertificate } = this.membership;
    return new SiteCalls({ coordinator, serverName, caCertificate }, readTlsCredential(this.store));
  }
}
