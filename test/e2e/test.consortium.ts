import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePlan } from '@coferment/consortium';
import { computeAgreement } from '../../demo/src/consortium/out-of-band.check.js';
import { AgentMember, type AgentSetting } from '../../demo/src/members/agent.member.js';
import { CoordinatorMember, type Listening } from '../../demo/src/members/coordinator.member.js';
import { type MemberFolders, memberFolders } from '../../demo/src/members/member.folders.js';
import { writePassphrase } from '../../demo/src/members/passphrase.file.js';
import { ProcessGroup, type ProgramEvent } from '../../demo/src/processes/index.js';
import { inTurns } from '../../demo/src/run/in.turns.js';
import { followRun, type RunWatcher } from '../../demo/src/run/run.watch.js';
import type { RunView } from '../../demo/src/run/run.view.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';

export interface TestSite {
  readonly id: string;
  /** Writes the records and returns the mapping file. */
  readonly write: (folder: string) => string;
  readonly program?: AgentSetting['program'];
}

/** A consortium of real processes for tests; the same members that the demo drives. */
export class TestConsortium {
  readonly events: { site: string; event: ProgramEvent }[] = [];
  /** Processes that ended and should not have. */
  readonly failures: Error[] = [];
  readonly agents: AgentMember[] = [];
  readonly group = new ProcessGroup();
  readonly folders: MemberFolders;
  readonly coordinator: CoordinatorMember;
  /** Where sites dial; without it where the coordinator listens. */
  protected dialled: string | undefined;

  /** @param shared options of every start of a coordinator, where there are several */
  constructor(protected readonly shared: readonly string[] = []) {
    this.folders = memberFolders(temporaryFolder('coferment-e2e'));
    mkdirSync(join(this.folders.out, 'invites'));
    this.coordinator = this.coordinatorIn(this.folders);
  }

  protected coordinatorIn(folders: MemberFolders): CoordinatorMember {
    const lost = (error: Error) => void this.failures.push(error);
    return new CoordinatorMember(this.group, folders, this.passphraseFile('coordinator'), lost, this.shared);
  }

  passphraseFile(member: string): string {
    return join(this.folders.passphrases, member);
  }

  async start(): Promise<Listening> {
    await writePassphrase(this.folders.passphrases, 'coordinator');
    return this.coordinator.start('test-consortium', 'ledger.localhost/test-consortium');
  }

  /** @param seeds of training: the same for all, so that a test can be repeated, or one that each site draws */
  async enrol(sites: readonly TestSite[], seeds: 'fixed' | 'own' = 'fixed'): Promise<void> {
    const watcher = {
      event: (site: string, event: ProgramEvent) => void this.events.push({ site, event }),
      lost: (error: Error) => void this.failures.push(error),
    };
    const joined = await inTurns(sites, async (site) => {
      const recordsFolder = join(this.folders.records, site.id);
      const setting = {
        site: site.id,
        mappingFile: site.write(recordsFolder),
        recordsFolder,
        passphraseFile: await writePassphrase(this.folders.passphrases, site.id),
        ...(site.program === undefined ? {} : { program: site.program }),
      };
      const agent = new AgentMember(this.group, this.folders, setting, watcher);
      await agent.join(await this.coordinator.invite(site.id, this.dialled), seeds === 'own' ? undefined : '00'.repeat(32));
      return agent;
    });
    this.agents.push(...joined.sort((a, b) => (a.site < b.site ? -1 : 1)));
  }

  /** Approves, publishes and launches a plan; returns the run. */
  async launch(planText: string): Promise<string> {
    const keys = new Map(await inTurns(this.agents, async (agent) => [agent.site, await agent.identityKey()] as const));
    const agreement = computeAgreement(parsePlan(planText), keys);
    await inTurns(this.agents, async (agent) => {
      await agent.approvePlan(agreement.plan);
      await agent.approveRoster(agreement.fingerprint);
    });
    const file = join(this.folders.out, 'plan.yaml');
    await writeFile(file, planText);
    return this.coordinator.launch(await this.coordinator.publishPlan(file));
  }

  async serve(): Promise<void> {
    await inTurns(this.agents, (agent) => agent.serve());
  }

  follow(run: string, watcher: Partial<RunWatcher> = {}): Promise<RunView> {
    const nothing = { roundMoved: () => undefined, runMoved: () => undefined, acted: () => undefined, settled: () => Promise.resolve() };
    return followRun(this.coordinator, run, { ...nothing, ...watcher });
  }

  stop(): Promise<void> {
    return this.group.stopAll();
  }
}
