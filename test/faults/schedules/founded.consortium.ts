import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAddress, parsePlan } from '@coferment/consortium';
import { withJournal } from '../../../client-agent/src/cli/site.journal.js';
import { readMembership } from '../../../client-agent/src/enrolment/membership.file.js';
import { copyFolder } from '../../../client-agent/src/testing/folder.copy.fixture.js';
import { TcpRelay } from '../../../client-agent/src/testing/tcp.relay.fixture.js';
import { type OperatorClient, ask, connect } from '../../../coordinator/src/cli/operator.client.js';
import { computeAgreement } from '../../../demo/src/consortium/out-of-band.check.js';
import { type MemberFolders, memberFolders } from '../../../demo/src/members/member.folders.js';
import { ProcessGroup } from '../../../demo/src/processes/index.js';
import { inTurns } from '../../../demo/src/run/in.turns.js';
import { SMALL_SITE, writePlantedRecords } from '../../sovereignty/planted.records.js';
import { faultPlan } from './fault.plans.js';
import { PATIENCES, type Patience, SITES, type Site } from './fault.schedule.js';
import { agentProgram, coordinatorProgram, drawStoreKey, siteFolder, storeKey } from './member.programs.js';

const START_MS = 60_000;
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

  private constructor(readonly root: string) {
    this.folders = memberFolders(join(root, 'founded'));
  }

  /** @param root everything of all schedules lies below it */
  static async found(root: string): Promise<FoundedConsortium> {
    const founded = new FoundedConsortium(root);
    await founded.#found();
    return founded;
  }

  /** A copy of what coordinator and sites had when all was approved and nothing was launched, or of what they had at the end of another copy. */
  copyTo(name: string, from: MemberFolders = this.folders): MemberFolders {
    const copy = memberFolders(join(this.root, name));
    mkdirSync(copy.out, { recursive: true });
    copyFolder(from.coordinator, copy.coordinator);
    copyFolder(from.sites, copy.sites);
    return { ...copy, records: this.folders.records, passphrases: this.folders.passphrases };
  }

  async close(): Promise<void> {
    await Promise.all([...this.lines.values()].map((line) => line.stop()));
  }

  async #found(): Promise<void> {
    const { folders } = this;
    mkdirSync(join(folders.out, 'invites'), { recursive: true });
    for (const member of ['coordinator', ...SITES] as const) drawStoreKey(folders, member);
    const group = new ProcessGroup();
    try {
      const founding = ['--consortium', 'faults', '--origin', 'ledger.localhost/faults'];
      const coordinator = group.start(coordinatorProgram(folders, founding));
      const { address } = await coordinator.event(({ event }) => event === 'listening', 'listening', START_MS);
      const target = parseAddress(String(address))!;
      for (const site of SITES) this.lines.set(site, await TcpRelay.start(target));
      const client = await connect(folders.coordinator, storeKey(folders, 'coordinator'));
      await inTurns(SITES, (site) => this.#join(group, client, site));
      await this.#approve(client);
      client.close();
    } finally {
      await group.stopAll();
    }
  }

  async #join(group: ProcessGroup, { operator }: OperatorClient, site: Site): Promise<void> {
    const { folders } = this;
    writePlantedRecords(join(folders.records, site), site, SMALL_SITE);
    const file = join(folders.out, 'invites', `${site}.json`);
    const address = `127.0.0.1:${this.lines.get(site)!.port}`;
    const asked = { site, validHours: 1, address, preAdmitted: true, role: 'site' };
    writeFileSync(file, (await ask(operator.createInvite.bind(operator), asked)).invite);
    await group.run(agentProgram(folders, site, 'join', [file, '--training-seed', TRAINING_SEED]));
  }

  async #approve({ operator }: OperatorClient): Promise<void> {
    const keys = new Map(SITES.map((site) => [site as string, readMembership(siteFolder(this.folders, site)).identityKey]));
    for (const patience of PATIENCES) {
      const text = faultPlan(patience);
      const { plan, fingerprint } = computeAgreement(parsePlan(text), keys);
      await ask(operator.publishPlan.bind(operator), { plan: text });
      for (const site of SITES)
        withJournal(siteFolder(this.folders, site), ({ approvals }) => {
          approvals.decidePlan(plan, 1, 'approved');
          approvals.approveRoster(fingerprint);
        });
      this.plans.set(patience, plan);
    }
  }
}
