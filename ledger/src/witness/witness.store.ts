import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type VerifierKey, encodeVkey, parseVkey } from '../note/index.js';
import type { SeenCheckpoint } from './checkpoint.witness.js';
import { type SplitView, checkSplitView, parseSplitView, splitViewText } from './split.view.js';

/** What a kept piece of evidence comes to. */
export interface KeptEvidence {
  /** Path of the file, to be handed on. */
  readonly file: string;
  readonly origin: string;
  readonly verdict: 'proved' | 'open';
  readonly reason: string;
}

// Whoever passes a checkpoint on can spoil its proof: such suspicions must not fill the disk. Proofs need the log's own key, once each.
const MAX_SUSPICIONS = 100;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS log (vkey TEXT PRIMARY KEY, origin TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS seen (origin TEXT PRIMARY KEY, size TEXT NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL) STRICT;
`;

/** What a witness must never forget: the last checkpoint of each log. In its data folder, durable before anyone is told (WAL, synchronous=FULL). */
export class WitnessStore {
  readonly #database: DatabaseSync;
  readonly #evidence: string;

  /** @param folder the witness's own, which is there */
  constructor(folder: string) {
    this.#evidence = join(folder, 'evidence');
    this.#database = new DatabaseSync(join(folder, 'witness.sqlite'), { timeout: 10_000 });
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${SCHEMA}`);
  }

  close(): void {
    this.#database.close();
  }

  addLog(key: VerifierKey): void {
    this.#database.prepare('INSERT OR IGNORE INTO log (vkey, origin) VALUES (?, ?)').run(encodeVkey(key), key.name);
  }

  logKeys(): VerifierKey[] {
    return this.#database
      .prepare('SELECT vkey FROM log ORDER BY vkey')
      .all()
      .map(({ vkey }) => parseVkey(vkey as string));
  }

  seen(origin: string): SeenCheckpoint | undefined {
    const row = this.#database.prepare('SELECT size, root, note FROM seen WHERE origin = ?').get(origin);
    return row && { size: BigInt(row['size'] as string), root: new Uint8Array(row['root'] as Uint8Array), note: row['note'] as string };
  }

  /**
   * Decides and stores in one transaction, also between processes: nothing can come between what was compared and what is stored.
   * @param decide gets the last checkpoint; `next`, if any, is stored durably before this returns
   */
  advance<T extends { readonly next?: SeenCheckpoint | undefined }>(origin: string, decide: (last: SeenCheckpoint | undefined) => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const decision = decide(this.seen(origin));
      if (decision.next) {
        const { size, root, note } = decision.next;
        this.#database
          .prepare('INSERT OR REPLACE INTO seen (origin, size, root, note) VALUES (?, ?, ?, ?)')
          .run(origin, size.toString(), root, note);
      }
      this.#database.exec('COMMIT');
      return decision;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Keeps both halves once, under a name made from what they are. */
  keep(evidence: SplitView, kind: KeptEvidence['verdict']): void {
    mkdirSync(this.#evidence, { recursive: true });
    const text = splitViewText(evidence);
    const name = `${kind}-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.json`;
    const kept = readdirSync(this.#evidence);
    if (kept.includes(name)) return;
    if (kind === 'open' && kept.filter((file) => file.startsWith('open-')).length >= MAX_SUSPICIONS) return;
    const passing = join(this.#evidence, `.${name}`);
    writeFileSync(passing, text, { flush: true });
    renameSync(passing, join(this.#evidence, name));
  }

  /** All that is kept, judged anew. */
  evidence(): KeptEvidence[] {
    mkdirSync(this.#evidence, { recursive: true });
    const keys = this.logKeys();
    return readdirSync(this.#evidence)
      .filter((name) => /^(?:proved|open)-[0-9a-f]{16}\.json$/.test(name))
      .toSorted()
      .map((name) => {
        const file = join(this.#evidence, name);
        const evidence = parseSplitView(readFileSync(file, 'utf8'));
        const { verdict, reason } = checkSplitView(evidence, keys);
        return { file, origin: evidence.origin, reason, verdict: verdict === 'proved' ? 'proved' : 'open' };
      });
  }
}
