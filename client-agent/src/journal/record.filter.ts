import { parseDuration } from '@coferment/consortium';
import type { RecordEntry } from './record.entry.js';

/** From when on entries are shown. */
export type Since = { seq: number } | { time: number };

/** Reads `2026-11-01` (also with a time), `7 d` before now, or the number of an entry; undefined for anything else. */
export function parseSince(text: string, now: number): Since | undefined {
  if (/^[0-9]{1,15}$/.test(text)) return { seq: Number(text) };
  const ago = parseDuration(text);
  if (ago !== undefined) return { time: now - ago };
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : { time };
}

export function isSince(entry: RecordEntry, since: Since): boolean {
  return 'seq' in since ? entry.seq >= since.seq : entry.time >= since.time;
}

/** Picks the entries of one run: also the answers to what was sent in it, the decisions on its plan and rosters, and what was trained for it. */
export class RunFilter {
  readonly #items = new Set<number>();
  readonly #approvals = new Set<number>();
  readonly #rosters = new Set<string>();
  #plan: string | undefined;
  #ordinal: number | undefined;

  /** @param entries of the whole record: decisions can be older than the run */
  constructor(
    private readonly run: string,
    entries: readonly RecordEntry[],
  ) {
    for (const entry of entries) {
      if (entry.kind === 'run-announced' && entry.run === run) [this.#plan, this.#ordinal] = [entry.plan, entry.ordinal];
      if (entry.kind === 'epoch-opened' && entry.run === run) this.#rosters.add(entry.fingerprint);
      if (entry.kind === 'sending' && entry.run === run) this.#items.add(entry.row);
    }
    for (const entry of entries)
      if ((entry.kind === 'plan-approved' || entry.kind === 'plan-rejected' || entry.kind === 'plan-withdrawn') && this.#isAbout(entry))
        this.#approvals.add(entry.row);
  }

  picks(entry: RecordEntry): boolean {
    if ('run' in entry) return entry.run === this.run;
    if ('fingerprint' in entry) return this.#rosters.has(entry.fingerprint);
    if (entry.kind === 'answered') return this.#items.has(entry.row);
    if (entry.kind === 'approval-bound') return this.#approvals.has(entry.row);
    if (entry.kind === 'trained') return entry.from?.run === this.run;
    if (entry.kind === 'carried-over') return entry.row['run'] === this.run;
    return 'plan' in entry && this.#isAbout(entry);
  }

  #isAbout(entry: { plan: string; ordinal?: number }): boolean {
    return entry.plan === this.#plan && (entry.ordinal === undefined || entry.ordinal === this.#ordinal);
  }
}
