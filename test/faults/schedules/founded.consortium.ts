import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseAddress } from '@coferment/consortium';
import { copyFolder } from '../../../client-agent/src/testing/folder.copy.fixture.js';
import { TcpRelay } from '../../../client-agent/src/testing/tcp.relay.fixture.js';
import { connect } from '../../../coordinator/src/cli/operator.client.js';
import { type MemberFolders, memberFolders } from '../../../demo/src/members/member.folders.js';
import { ProcessGroup } from '../../../demo/src/processes/index.js';
import { faultPlan } from './fault.plans.js';
import { PATIENCES, type Patience, SITES, type Site } from './fault.schedule.js';
import { agreeOn, FOUNDING, joinSites } from './consortium.founding.js';
import { coordinatorProgram, drawStoreKey, storeKey } from './member.programs.js';

const START_MS = 60_000;

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
    mkdirSync(folders.out, { recursive: true });
    for (const member of ['coordinator', ...SITES] as const) drawStoreKey(folders, member);
    const group = new ProcessGroup();
    try {
      const coordinator = group.start(coordinatorProgram(folders, FOUNDING));
      const { address } = await coordinator.event(({ event }) => event === 'listening', 'listening', START_MS);
      const target = parseAddress(String(address))!;
      for (const site of SITES) this.lines.set(site, await TcpRelay.start(target));
      const client = await connect(folders.coordinator, storeKey(folders, 'coordinator'));
      await joinSites(group, client, folders, (site) => this.lines.get(site)!.port);
      for (const patience of PATIENCES) this.plans.set(patience, await agreeOn(client, folders, faultPlan(patience)));
      client.close();
    } finally {
      await group.stopAll();
    }
  }
}
