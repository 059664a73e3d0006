import { setTimeout as sleep } from 'node:timers/promises';
import { withJournal } from '../../../client-agent/src/cli/site.journal.js';
import type { MemberFolders } from '../../../demo/src/members/member.folders.js';
import { SITES, type Site } from './fault.schedule.js';
import { siteFolder } from './member.programs.js';

/** From the end of a run until every site has heard of it: a site that was cut off tries again within 15 s. */
const HEARD_WITHIN_MS = 30_000;
const ASK_AGAIN_MS = 100;

/** Waits until the journal of every site says that the run is over. What a killed agent printed may be lost; what it stored is not. @returns what is still missing */
export async function everybodyHeard(folders: MemberFolders, run: string): Promise<string[]> {
  for (const endMs = Date.now() + HEARD_WITHIN_MS; ; await sleep(ASK_AGAIN_MS)) {
    const open: Site[] = [];
    for (const site of SITES)
      if (!(await withJournal(siteFolder(folders, site), ({ runs }) => runs.get(run)?.state === 'closed'))) open.push(site);
    if (open.length === 0) return [];
    if (Date.now() > endMs) return open.map((site) => `${site} has not heard that the run is over`);
  }
}
