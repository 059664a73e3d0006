import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { generateSite, SITE_FILES, siteProfiles, writeSiteFiles } from '../virtual/index.js';
import type { DemoSite } from './demo.consortium.js';

/** Virtual sites write their records as real ones would keep them: own columns, units, clocks and file formats, and a mapping file for each. */
export async function writeVirtualSites(folder: string, sites: number, seed: number, tell: (text: string) => void): Promise<DemoSite[]> {
  const written: DemoSite[] = [];
  for (const profile of siteProfiles(sites)) {
    // Simulating is plain computation; signals and the display get their turn between sites.
    await setImmediate();
    const site = generateSite(profile, seed);
    const recordsFolder = join(folder, site.id);
    await writeSiteFiles(site, recordsFolder);
    written.push({ id: site.id, mappingFile: join(recordsFolder, SITE_FILES.mapping), recordsFolder });
    tell(`${site.id}: ${site.batches.length} batches, ${profile.description}`);
  }
  return written;
}
