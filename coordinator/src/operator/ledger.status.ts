import { encodeVkey, witnessName } from '@coferment/ledger';
import { GetLedgerStatusResponse, WitnessStatus } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { LedgerServer } from '../ledger-http/ledger.server.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { OutsideWitnesses } from '../witnessing/outside.witnesses.js';
import { parseWitnessAddress } from '../witnessing/witness.address.js';
import { WitnessingService } from '../witnessing/witnessing.service.js';

/** How far the ledger is, and who is waited for. */
@Injectable()
export class LedgerStatus {
  constructor(
    private readonly identity: ConsortiumIdentity,
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
    private readonly publication: PublicationService,
    private readonly witnessing: WitnessingService,
    private readonly outside: OutsideWitnesses,
    private readonly server: LedgerServer,
  ) {}

  async status(): Promise<GetLedgerStatusResponse> {
    const rows = await this.database.transaction((manager) => this.enrolment.sites(manager));
    const sites = rows.filter(({ role, state, enrolment }) => role === 'site' && state === 'enrolled' && enrolment !== null);
    const published = await this.witnessing.shown();
    const { current, witnessed } = this.witnessing;
    const keys = current?.electorate.keys ?? [];
    const names = new Set(keys.map(({ name }) => name));
    const { origin } = this.identity.facts;
    return GetLedgerStatusResponse.fromPartial({
      size: this.publication.size,
      newest: this.witnessing.newest().checkpoint,
      offered: current?.note ?? '',
      witnessed: witnessed?.note ?? '',
      published: published?.note ?? '',
      quorum: current?.electorate.quorum ?? 0,
      cosigned: current === undefined ? 0 : keys.filter((key) => current.isCosignedBy(key)).length,
      untilMs: this.witnessing.untilMs,
      witnesses: this.#witnesses(),
      sitesWithoutKey: sites.map(({ site }) => site).filter((site) => !names.has(witnessName(origin, site))),
      url: this.server.url,
    });
  }

  /** Those that count, then those that are only called. */
  #witnesses(): WitnessStatus[] {
    const { witnessServers, origin } = this.identity.facts;
    const called = new Map(witnessServers.map(parseWitnessAddress).map(({ key, url }) => [encodeVkey(key), { key, url }]));
    const counted = new Map((this.witnessing.current?.electorate.keys ?? []).map((key) => [encodeVkey(key), { key, url: '' }]));
    const last = this.witnessing.lastCosignatures();
    return [...new Map([...counted, ...called])].map(([vkey, { key, url }]) => {
      const cosigned = last.get(vkey);
      return WitnessStatus.fromPartial({
        vkey,
        site: key.name.startsWith(`${origin}/`) ? key.name.slice(origin.length + 1) : '',
        counts: counted.has(vkey),
        cosignedSize: cosigned?.size ?? 0,
        cosignedMs: cosigned?.time.getTime() ?? 0,
        url,
        problem: this.outside.problemOf(vkey) ?? '',
      });
    });
  }
}
