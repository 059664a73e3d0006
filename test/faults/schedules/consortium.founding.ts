import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePlan } from '@coferment/consortium';
import { withJournal } from '../../../client-agent/src/cli/site.journal.js';
import { readMembership } from '../../../client-agent/src/enrolment/membership.file.js';
import { type OperatorClient, ask } from '../../../coordinator/src/cli/operator.client.js';
import { computeAgreement } from '../../../demo/src/consortium/out-of-band.check.js';
import type { MemberFolders } from '../../../demo/src/members/member.folders.js';
import { type ProcessGroup } from '../../../demo/src/processes/index.js';
import { inTurns } from '../../../demo/src/run/in.turns.js';
import { SMALL_SITE, writePlantedRecords } from '../../sovereignty/planted.records.js';
import { SITES, type Site } from './fault.schedule.js';
import { agentProgram, siteFolder } from './member.programs.js';

/** Training and rounding follow from it, so that runs over the same sets of sites end with the same model. */
const TRAINING_SEED = '00'.repeat(32);

export const FOUNDING = ['--consortium', 'faults', '--origin', 'ledger.localhost/faults'] as const;

/** All sites join, each by a process of its own. @param portOf where the line of a site begins on this machine */
export async function joinSites(
  group: ProcessGroup,
  { operator }: OperatorClient,
  folders: MemberFolders,
  portOf: (site: Site) => number,
): Promise<void> {
  mkdirSync(join(folders.out, 'invites'), { recursive: true });
  await inTurns(SITES, async (site) => {
    writePlantedRecords(join(folders.records, site), site, SMALL_SITE);
    const file = join(folders.out, 'invites', `${site}.json`);
    const asked = { site, validHours: 1, address: `127.0.0.1:${portOf(site)}`, preAdmitted: true, role: 'site' };
    writeFileSync(file, (await ask(operator.createInvite.bind(operator), asked)).invite);
    await group.run(agentProgram(folders, site, 'join', [file, '--training-seed', TRAINING_SEED]));
  });
}

/** Publishes a plan, and enters at each site what its people approve: the plan, and the roster of identity keys that were read at the sites. @returns the plan's digest */
export async function agreeOn({ operator }: OperatorClient, folders: MemberFolders, planText: string): Promise<string> {
  const keys = new Map(SITES.map((site) => [site as string, readMembership(siteFolder(folders, site)).identityKey]));
  const { plan, fingerprint } = computeAgreement(parsePlan(planText), keys);
  await ask(operator.publishPlan.bind(operator), { plan: planText });
  for (const site of SITES)
    await withJournal(siteFolder(folders, site), ({ approvals }) => {
      approvals.decidePlan(plan, 1, 'approved');
      approvals.approveRoster(fingerprint);
    });
  return plan;
}

export async function launch({ operator }: OperatorClient, plan: string): Promise<string> {
  return (await ask(operator.launchRun.bind(operator), { plan, sites: [], approveWithinMs: 0, startAtMs: 0 })).run;
}
