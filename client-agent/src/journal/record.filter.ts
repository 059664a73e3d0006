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

/** Picks the entries of one run: also the answers to what was sent in it, the decisions on its plan, and what was trained for it. */
export class RunFilter {
  readonly #sent = new Set<number>();
  #plan: string | undefined;
  #ordinal: number | undefined;

  constructor(private readonly run: string) {}

  /** Entries must come in order. */
  picks(entry: RecordEntry): boolean {
    const { run } = this;
    const isOfRun = ('run' in entry && entry.run === run) || (entry.kind === 'carried-over' && entry.row['run'] === run);
    if (isOfRun && entry.kind === 'run-announced') [this.#plan, this.#ordinal] = [entry.plan, entry.ordinal];
    if (isOfRun && entry.kind === 'sending') this.#sent.add(entry.row);
    if (isOfRun || (entry.kind === 'answered' && this.#sent.has(entry.row))) return true;
    if (entry.kind === 'trained') return entry.from?.run === run;
    return 'plan' in entry && entry.plan === this.#plan && (!('ordinal' in entry) || entry.ordinal === this.#ordinal);
  }
}
