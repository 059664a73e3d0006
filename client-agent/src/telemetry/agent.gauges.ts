import { statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal } from '../journal/journal.js';
import { sentTotals } from '../status/status.report.js';
import { standingOf } from '../status/run.standing.js';
import type { WorkCounts } from '../rounds/work.board.js';
import type { AgentMetrics } from './agent.metrics.js';

export interface GaugedAgent {
  folder: string;
  journal: Journal;
  work: () => WorkCounts;
  certificateExpiresMs: () => number;
}

const JOURNAL_FILES = ['journal.sqlite', 'journal.sqlite-wal', 'journal.sqlite-shm'];

/** Brings the gauges up to date with the journal, which is the truth: numbers of the process alone would begin at zero after every restart. */
export async function refreshAgentGauges(
  metrics: AgentMetrics,
  { folder, journal, work, certificateExpiresMs }: GaugedAgent,
): Promise<void> {
  const { activity } = journal;
  metrics.sent.reset();
  metrics.sentObjects.reset();
  for (const { name, objects, bytes } of sentTotals(journal)) {
    metrics.sent.inc({ class: name }, bytes);
    metrics.sentObjects.inc({ class: name }, objects);
  }
  for (const [lane, counts] of Object.entries(work()))
    for (const [state, count] of Object.entries(counts)) metrics.work.set({ lane, state }, count);
  const over = new Set(journal.runs.all().flatMap((run) => (standingOf(journal, run).isOver ? [run.run] : [])));
  metrics.waits.set(activity.waits().filter(({ run }) => !over.has(run)).length);
  metrics.runs.set({ state: 'open' }, journal.runs.all().length - over.size);
  metrics.runs.set({ state: 'over' }, over.size);
  setReceipts(metrics, journal);
  metrics.splitViews.set(journal.evidence.undecided().length);
  metrics.cosigned.set(Number(journal.cosigned.latest()?.size ?? 0n));
  metrics.certificate.set(certificateExpiresMs() / 1000);
  metrics.files.set({ file: 'journal' }, bytesOf(JOURNAL_FILES.map((name) => join(folder, name))));
  metrics.files.set({ file: 'log' }, bytesOf([join(folder, 'agent.log')]));
  const disk = await statfs(folder);
  metrics.diskFree.set(disk.bavail * disk.bsize);
  metrics.diskSize.set(disk.blocks * disk.bsize);
}

function setReceipts({ contributions, receipts }: AgentMetrics, journal: Journal): void {
  const totals = journal.receipts.totals();
  for (const { kind, counted } of totals) contributions.set({ kind }, counted);
  const stored = totals.reduce((sum, total) => sum + total.stored, 0);
  receipts.set({ state: 'stored' }, stored);
  receipts.set({ state: 'owed' }, totals.reduce((sum, total) => sum + total.counted, 0) - stored);
}

function bytesOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
}
