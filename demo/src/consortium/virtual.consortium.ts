import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { consortiumPlan, generateSite, siteProfiles, writeSiteFiles } from '../virtual/index.js';
import type { DemoConsortium, DemoSite } from './demo.consortium.js';

/** Virtual sites write their records as real ones would keep them: own columns, units, clocks and file formats, and a mapping file for each. */
export async function writeVirtualConsortium(
  folder: string,
  sites: number,
  seed: number,
  tell: (text: string) => void,
): Promise<DemoConsortium> {
  const written: DemoSite[] = [];
  for (const profile of siteProfiles(sites)) {
    // Simulating is plain computation; signals and the display get their turn between sites.
    await setImmediate();
    const site = generateSite(profile, seed);
    const recordsFolder = join(folder, site.id);
    const { mappingFile } = await writeSiteFiles(site, recordsFolder);
    written.push({ id: site.id, mappingFile, recordsFolder });
    tell(`${site.id}: ${site.batches.length} batches, ${profile.description}`);
  }
  return { name: 'virtual-fermenters', sites: written, planText: consortiumPlan(sites) };
}
