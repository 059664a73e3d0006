import { parseRoster } from '@coferment/consortium';
import type { RunRecord } from '../journal/runs.repository.js';
import type { SiteContext } from './site.context.js';

/** Among whom a run goes on, or went: its first roster, which settles that for life, can be over fewer sites than were asked. */
export function sitesInRun(
  { journal, objects }: Pick<SiteContext, 'journal' | 'objects'>,
  { run, sites }: Pick<RunRecord, 'run' | 'sites'>,
): string[] {
  const roster = journal.runs.epochs(run)[0]?.roster;
  const bytes = roster === undefined ? undefined : objects.read(roster);
  return bytes === undefined ? sites : parseRoster(bytes).sites.map(({ site }) => site);
}
