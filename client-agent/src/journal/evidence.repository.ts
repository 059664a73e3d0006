import type { z } from 'zod';
import { AgentError } from '../agent.error.js';
import type { JournalDatabase } from './journal.database.js';
import type { foundBySchema } from './record.entry.js';
import type { RecordRepository } from './record.repository.js';
import { textDigest } from './record.tables.js';

export type FoundBy = z.infer<typeof foundBySchema>;

export interface KeptEvidence {
  id: number;
  foundBy: FoundBy;
  /** In plain words. */
  what: string;
  /** A file that others can check: see splitViewText of the ledger. */
  evidence: string;
  foundMs: number;
  /** Null while nobody has decided. */
  dismissed: { atMs: number; reason: string } | null;
}

/** Evidence that the log does not show everybody the same. It stays for good; as long as nobody has decided on it, this site signs nothing in any run. */
export class EvidenceRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
    private readonly now: () => number,
  ) {}

  /**
   * The same evidence is kept once while nobody has decided on it. Decided on, it stays decided for a file that a person compares again, and for nothing else: a log that
   * goes back to what it showed before contradicts what the decision was.
   */
  keep(foundBy: FoundBy, what: string, evidence: string): { kept: KeptEvidence; isNew: boolean } {
    return this.database.transaction(() => {
      const same = this.database.get(
        "SELECT * FROM split_views WHERE evidence = ?1 AND (dismissed_ms IS NULL OR ?2 = 'comparison') ORDER BY id DESC LIMIT 1",
        evidence,
        foundBy,
      );
      if (same !== undefined) return { kept: toEvidence(same), isNew: false };
      const time = this.now();
      const inserted = this.database.get(
        'INSERT INTO split_views (found_by, what, evidence, found_ms) VALUES (?, ?, ?, ?) RETURNING *',
        foundBy,
        what,
        evidence,
        time,
      );
      const kept = toEvidence(inserted!);
      this.record.append({ kind: 'split-view-found', row: kept.id, foundBy, what, evidence: textDigest(evidence) }, time);
      return { kept, isNew: true };
    });
  }

  all(): KeptEvidence[] {
    return this.database.all('SELECT * FROM split_views ORDER BY id').map(toEvidence);
  }

  undecided(): KeptEvidence[] {
    return this.database.all('SELECT * FROM split_views WHERE dismissed_ms IS NULL ORDER BY id').map(toEvidence);
  }

  /** @throws AgentError 'evidence-unknown' */
  requireUndecided(id: number): KeptEvidence {
    const found = this.undecided().find((kept) => kept.id === id);
    if (found !== undefined) return found;
    const open = this.undecided().map((kept) => kept.id);
    throw new AgentError(
      'evidence-unknown',
      `There is no undecided evidence with the number ${id}. ${open.length === 0 ? 'None is undecided.' : `Undecided: ${open.join(', ')}.`} List all: coferment-agent ledger evidence`,
    );
  }

  /**
   * Only inside the transaction of what else the decision changes.
   * @param goesOn the checkpoint that this site goes on from; null where that stays
   */
  dismiss(id: number, reason: string, goesOn: { size: string; root: string } | null): void {
    const time = this.now();
    this.database.run('UPDATE split_views SET dismissed_ms = ?, reason = ? WHERE id = ?', time, reason, id);
    this.record.append({ kind: 'split-view-dismissed', row: id, reason, goesOn }, time);
  }

  /** @throws AgentError 'log-split' */
  requireNone(): void {
    const [first] = this.undecided();
    if (first === undefined) return;
    throw new AgentError(
      'log-split',
      `This site signs nothing in any run: the log does not show everybody the same (evidence ${first.id}: ${first.what}). Look at it and decide: coferment-agent ledger evidence`,
    );
  }
}

function toEvidence(row: Record<string, unknown>): KeptEvidence {
  const dismissedMs = row['dismissed_ms'];
  return {
    id: Number(row['id']),
    foundBy: String(row['found_by']) as FoundBy,
    what: String(row['what']),
    evidence: String(row['evidence']),
    foundMs: Number(row['found_ms']),
    dismissed: dismissedMs === null ? null : { atMs: Number(dismissedMs), reason: String(row['reason']) },
  };
}
