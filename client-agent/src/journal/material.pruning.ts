import { AgentError } from '../agent.error.js';
import type { ObjectCache } from '../connection/object.cache.js';
import type { Journal } from './journal.js';
import { readRecord } from './record.chain.js';

/**
 * Removes the states from which the sums of one run started, unless another run started from them too. Only when a person asks for it: without them no update
 * of the run can be made again.
 * @throws AgentError 'no-model' for a run that has none
 */
export function pruneMaterial(journal: Journal, objects: ObjectCache, run: string): { objects: number; bytes: number } {
  const starts = readRecord(journal.record.lines()).entries.flatMap((entry) =>
    entry.kind === 'trained' && entry.from !== null && entry.from.start !== null ? [{ run: entry.from.run, start: entry.from.start }] : [],
  );
  const own = new Set(starts.filter((entry) => entry.run === run).map(({ start }) => start));
  for (const { run: other, start } of starts) if (other !== run) own.delete(start);
  const held = [...own].filter((start) => objects.has(start));
  if (held.length === 0) {
    const known = [...new Set(starts.map((entry) => entry.run))].join(', ') || 'none';
    throw new AgentError('no-model', `This folder keeps no states of run "${run}". Runs with states: ${known}. Nothing was removed.`);
  }
  const bytes = held.reduce((sum, start) => sum + objects.sizeOf(start), 0);
  // First the record: cut off in between, states are left over that nobody counts on.
  journal.record.append({ kind: 'material-pruned', run, objects: held.length, bytes });
  for (const start of held) objects.remove(start);
  return { objects: held.length, bytes };
}
