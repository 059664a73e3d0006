import { type DsseEnvelope, type Identity, sha256Hex } from '@coferment/crypto';
import { parseEnvelope, peekStatement, type Predicate, type PredicateName, signStatement, type SumKind } from '@coferment/consortium';
import type { EvidenceRepository } from './evidence.repository.js';
import type { JournalDatabase } from './journal.database.js';
import type { RecordRepository } from './record.repository.js';
import { textDigest } from './record.tables.js';

export interface SignedStatement {
  envelope: DsseEnvelope;
  /** SHA-256 of the signed bytes. */
  digest: string;
}

/**
 * Every act this site has signed, by what it is about. An act is signed once: asked again, the same bytes are sent again, so
 * no two different signatures of this site over one subject can ever exist.
 */
export class StatementsRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
    private readonly evidence: EvidenceRepository,
    private readonly identity: () => Identity,
    private readonly now: () => number,
  ) {}

  find(run: string, name: PredicateName, subject: string): SignedStatement | undefined {
    const row = this.database.get('SELECT envelope, digest FROM statements WHERE run = ? AND name = ? AND subject = ?', run, name, subject);
    return row === undefined ? undefined : { envelope: parseEnvelope(JSON.parse(String(row['envelope']))), digest: String(row['digest']) };
  }

  /** The act with this digest of its signed bytes. */
  at(digest: string): DsseEnvelope | undefined {
    const row = this.database.get('SELECT envelope FROM statements WHERE digest = ?', digest);
    return row === undefined ? undefined : parseEnvelope(JSON.parse(String(row['envelope'])));
  }

  /**
   * Signs and stores before it returns; returns the stored act when there is one.
   * @param run empty for acts of no run
   * @throws AgentError 'log-split' for an act of a run, while there is evidence against the log that nobody has decided on
   */
  sign<N extends PredicateName>(run: string, name: N, subject: string, predicate: Predicate<N>): SignedStatement {
    return this.database.transaction(() => {
      // Work that began before the evidence came must not end in a signature.
      if (run !== '') this.evidence.requireNone();
      const stored = this.find(run, name, subject);
      if (stored !== undefined) return stored;
      const envelope = signStatement(name, predicate, this.identity());
      const digest = sha256Hex(Buffer.from(envelope.payload, 'base64'));
      const [text, time] = [JSON.stringify(envelope), this.now()];
      this.database.run(
        'INSERT INTO statements (run, name, subject, digest, envelope, signed_ms) VALUES (?, ?, ?, ?, ?, ?)',
        run,
        name,
        subject,
        digest,
        text,
        time,
      );
      this.record.append({ kind: 'signed', run, name, subject, digest, envelope: textDigest(text) }, time);
      return { envelope, digest };
    });
  }

  /**
   * Objects that this site's acts of a run name: what it stored to be able to send the same bytes again.
   * @param within only those of one key epoch; e is null before this site has signed it
   */
  objects(run: string, within?: { epoch: number; e: string | null }): string[] {
    const rows = this.database.all("SELECT envelope FROM statements WHERE run = ? AND name IN ('dealing', 'contribution', 'share')", run);
    return rows.flatMap((row) => {
      const statement = peekStatement(parseEnvelope(JSON.parse(String(row['envelope']))));
      if (within !== undefined && !isWithin(statement.predicate, within)) return [];
      if (statement.name === 'dealing') return [statement.predicate.masked, ...statement.predicate.boxes.map((box) => box.object)];
      return statement.name === 'contribution' || statement.name === 'share' ? [statement.predicate.object] : [];
    });
  }

  /** Whether this site has signed the counted set of a sum of this kind from this model, in this run. */
  hasAttested(run: string, kind: SumKind, modelIn: string): boolean {
    const rows = this.database.all("SELECT envelope FROM statements WHERE run = ? AND name = 'attestation'", run);
    return rows.some((row) => {
      const { name, predicate } = peekStatement(parseEnvelope(JSON.parse(String(row['envelope']))));
      return name === 'attestation' && predicate.kind === kind && predicate.sums.some((sum) => sum.modelIn === modelIn);
    });
  }

  has(digest: string): boolean {
    return this.database.get('SELECT 1 FROM statements WHERE digest = ?', digest) !== undefined;
  }
}

/** Acts of a sum say E, acts before it the number of the epoch. */
function isWithin(predicate: object, { epoch, e }: { epoch: number; e: string | null }): boolean {
  return 'epoch' in predicate ? predicate.epoch === epoch : 'e' in predicate && predicate.e === e;
}
