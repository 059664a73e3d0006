import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WIRE_VERSION } from '@coferment/consortium';
import type { PollResponse } from '@coferment/proto';
import { WireClient } from '../../client-agent/src/connection/wire.client.js';
import { CertificateKeeper } from '../../client-agent/src/enrolment/certificate.keeper.js';
import { joinConsortium } from '../../client-agent/src/enrolment/join.flow.js';
import { type Membership, readMembership } from '../../client-agent/src/enrolment/membership.file.js';
import { endpointOf } from '../../client-agent/src/enrolment/renewal.flow.js';
import { KeyStore } from '../../client-agent/src/keys/key.store.js';
import { readTlsCredential, type TlsCredential } from '../../client-agent/src/keys/site.identity.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';

export const PASSPHRASE = 'a passphrase of an agent in tests';

/** An agent's folder, and as much of the running agent as certificates need: `start` and `stop` are what a person does with the process. */
export class JoinedAgent {
  client!: WireClient;
  keeper!: CertificateKeeper;
  #signal = new AbortController();

  private constructor(
    readonly folder: string,
    readonly store: KeyStore,
  ) {}

  static async join(invite: string): Promise<JoinedAgent> {
    const root = temporaryFolder('agent-certificates');
    const [folder, inviteFile] = [join(root, 'data'), join(root, 'invite.json')];
    mkdirSync(root, { recursive: true });
    writeFileSync(inviteFile, invite);
    await joinConsortium({ folder, inviteFile, passphrase: PASSPHRASE });
    return new JoinedAgent(folder, KeyStore.open(join(folder, 'keys'), PASSPHRASE));
  }

  get member(): Membership {
    return readMembership(this.folder);
  }

  get pair(): TlsCredential {
    return readTlsCredential(this.store);
  }

  /** @param watching without it the keeper only acts when it is told to */
  start(watching = false): this {
    const { folder, member, store } = this;
    this.client = new WireClient(endpointOf(member), this.pair);
    const silent = () => undefined;
    const log = { info: silent, warn: silent };
    this.keeper = new CertificateKeeper({ folder, member, store, client: this.client, log, changed: silent });
    this.#signal = new AbortController();
    if (watching) this.keeper.watch(this.#signal.signal);
    return this;
  }

  stop(): void {
    this.#signal.abort();
    this.client.close();
  }

  poll(waitMs = 0, known = ''): Promise<PollResponse> {
    const { authorities } = this.keeper;
    return this.client.poll({ wireVersion: WIRE_VERSION, waitMs, positions: [], known, authorities }, new AbortController().signal);
  }

  /** What the poll loop does: ask, renew when the certificate is refused or other authorities hold, and say in the next poll how far it is. */
  async catchUp(): Promise<PollResponse> {
    const answer = await this.poll().catch(async (error: unknown) => {
      if ((error as { code?: string }).code !== 'certificate-refused') throw error;
      await this.keeper.renew();
      return this.poll();
    });
    if (answer.authorities > this.keeper.authorities) await this.keeper.renew();
    return this.poll();
  }
}
