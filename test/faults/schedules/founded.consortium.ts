import { mkdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAddress, parsePlan } from '@coferment/consortium';
import { copyFolder } from '../../../client-agent/src/testing/folder.copy.fixture.js';
import { TcpRelay } from '../../../client-agent/src/testing/tcp.relay.fixture.js';
import { ask, connect } from '../../../coordinator/src/cli/operator.client.js';
import { computeAgreement } from '../../../demo/src/consortium/out-of-band.check.js';
import { AgentMember } from '../../../demo/src/members/agent.member.js';
import { CoordinatorMember, type Listening } from '../../../demo/src/members/coordinator.member.js';
import { type MemberFolders, memberFolders } from '../../../demo/src/members/member.folders.js';
import { writePassphrase } from '../../../demo/src/members/passphrase.file.js';
import { ProcessGroup } from '../../../demo/src/processes/index.js';
import { inTurns } from '../../../demo/src/run/in.turns.js';
import { SMALL_SITE, writePlantedRecords } from '../../sovereignty/planted.records.js';
import { faultPlan } from './fault.plans.js';
import { type Patience, SITES, type Site } from './fault.schedule.js';

const PATIENCES: readonly Patience[] = ['waiting', 'quorum'];
/** Training and rounding follow from it, so that runs over the same sets of sites end with the same model. */
const TRAINING_SEED = '00'.repeat(32);

/**
 * A consortium that is founded once: its sites have joined, each over a line of its own, and their people have approved both plans and both rosters. Each
 * schedule plays on a copy of its folders. Only one copy runs at a time: two would be one site twice.
 */
export class FoundedConsortium {
  readonly plans = new Map<Patience, string>();
  readonly folders: MemberFolders;
  readonly lines = new Map<Site, TcpRelay>();
  listening!: Listening;

  private constructor(readonly root: string) {
    this.folders = memberFolders(join(root, 'founded'));
  }

  /** @param root everything of all schedules lies below it */
  static async found(root: string): Promise<FoundedConsortium> {
    const founded = new FoundedConsortium(root);
    await founded.#found();
    return founded;
  }

  passphraseFile(member: string): string {
    return join(this.folders.passphrases, member);
  }

  passphrase(member: string): string {
    return readFileSync(this.passphraseFile(member), 'utf8').trim();
  }

  /** A copy of what coordinator and sites had when all was approved and nothing was launched. */
  copyTo(name: string): MemberFolders {
    const copy = memberFolders(join(this.root, name));
    mkdirSync(copy.out, { recursive: true });
    copyFolder(this.folders.coordinator, copy.coordinator);
    copyFolder(this.folders.sites, copy.sites);
    return { ...copy, records: this.folders.records, passphrases: this.folders.passphrases };
  }

  async close(): Promise<void> {
    await Promise.all([...this.lines.values()].map((line) => line.stop()));
  }

  async #found(): Promise<void> {
    const { folders } = this;
    mkdirSync(join(folders.out, 'invites'), { recursive: true });
    const group = new ProcessGroup();
    const lost = (error: Error): void => {
      throw error;
    };
    try {
      const passphraseFile = await writePassphrase(folders.passphrases, 'coordinator');
      const coordinator = new CoordinatorMember(group, folders, passphraseFile, lost);
      this.listening = await coordinator.start('faults', 'ledger.localhost/faults');
      const target = parseAddress(this.listening.address)!;
      for (const site of SITES) this.lines.set(site, await TcpRelay.start(target));
      const agents = await inTurns(SITES, (site) => this.#join(group, site));
      await this.#approve(agents);
    } finally {
      await group.stopAll();
    }
  }

  async #join(group: ProcessGroup, site: Site): Promise<AgentMember> {
    const { folders } = this;
    const recordsFolder = join(folders.records, site);
    const mappingFile = writePlantedRecords(recordsFolder, site, SMALL_SITE);
    const setting = { site, mappingFile, recordsFolder, passphraseFile: await writePassphrase(folders.passphrases, site) };
    const agent = new AgentMember(group, folders, setting, { event: () => undefined, lost: () => undefined });
    const file = join(folders.out, 'invites', `${site}.json`);
    await this.#asOperator(async ({ operator }) => {
      const address = `127.0.0.1:${this.lines.get(site)!.port}`;
      const asked = { site, validHours: 1, address, preAdmitted: true, role: 'site' };
      await writeFile(file, (await ask(operator.createInvite.bind(operator), asked)).invite);
    });
    await agent.join(file, TRAINING_SEED);
    return agent;
  }

  async #approve(agents: readonly AgentMember[]): Promise<void> {
    const keys = new Map(await inTurns(agents, async (agent) => [agent.site, await agent.identityKey()] as const));
    for (const patience of PATIENCES) {
      const text = faultPlan(patience);
      const { plan, fingerprint } = computeAgreement(parsePlan(text), keys);
      await this.#asOperator(({ operator }) => ask(operator.publishPlan.bind(operator), { plan: text }));
      await inTurns(agents, async (agent) => {
        await agent.approvePlan(plan);
        await agent.approveRoster(fingerprint);
      });
      this.plans.set(patience, plan);
    }
  }

  async #asOperator<T>(work: (client: Awaited<ReturnType<typeof connect>>) => Promise<T>): Promise<T> {
    const client = await connect(this.folders.coordinator, this.passphrase('coordinator'));
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }
}
