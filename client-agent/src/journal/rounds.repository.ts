import { MAX_BLOCKS_PER_EPOCH, type Predicate, type SumKind } from '@coferment/consortium';
import { bytesToHex, hexToBytes, sha256Hex } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import type { ApprovedChange, CountedSetsRepository } from './counted-sets.repository.js';
import type { JournalDatabase } from './journal.database.js';
import type { RecordFact } from './record.entry.js';
import type { RecordRepository } from './record.repository.js';
import {
  committed,
  decodeSalt,
  decodeVector,
  encodeSalt,
  encodeVector,
  saltName,
  type StoredVector,
  vectorCommitment,
  vectorName,
  type VectorFacts,
  type VectorOrigin,
  wordBytes,
} from './stored.vector.js';

/** Seals what must not lie in the clear on the disk; a record opens under its own name only. */
export interface Vault {
  sealRecord(name: string, secret: Uint8Array): Uint8Array;
  openRecord(name: string, sealed: Uint8Array): Uint8Array;
}

/** The durable records that make an honest agent safe to kill at any instant (secure-aggregation.md §3). */
export class RoundsRepository {
  constructor(
    private readonly database: JournalDatabase,
    private readonly record: RecordRepository,
    private readonly sets: CountedSetsRepository,
    private readonly vault: () => Vault,
  ) {}

  /** Undefined when there is none, or when its run is over and it was erased. */
  vector(plan: string, kind: SumKind, modelIn: string): StoredVector | undefined {
    const row = this.#vectorRow(plan, kind, modelIn);
    if (row === undefined || row.erased) return undefined;
    return decodeVector(this.vault().openRecord(vectorName(plan, kind, modelIn), row.sealed));
  }

  /**
   * Keeps the first vector of a key: a second one, however it came about, is dropped and the first returned. Of an erased one the digest is
   * left: the same vector may be kept again, any other is refused.
   * @throws AgentError 'vector-spent'
   */
  keepVector(plan: string, kind: SumKind, modelIn: string, vector: StoredVector, origin?: VectorOrigin): StoredVector {
    return this.database.transaction(() => {
      const row = this.#vectorRow(plan, kind, modelIn);
      if (row !== undefined && !row.erased) return this.vector(plan, kind, modelIn) ?? vector;
      if (row !== undefined && !this.#isErased(plan, kind, modelIn, row.sealed, vector)) {
        throw new AgentError(
          'vector-spent',
          `This site has sent another ${kind} vector for model ${modelIn.slice(0, 16)} of this plan, in a run that is over. A second one is refused: the difference of two sums would tell about the records that have changed. Ask the operator for a plan with another seed.`,
        );
      }
      const commitment = vectorCommitment(vector.salt, vector.coefficients);
      const sealed = this.vault().sealRecord(vectorName(plan, kind, modelIn), encodeVector(vector));
      const salt = this.vault().sealRecord(saltName(commitment), encodeSalt(vector));
      this.database.run(
        'INSERT OR REPLACE INTO sealed_vectors (plan, kind, model_in, sealed, erased) VALUES (?, ?, ?, ?, 0)',
        plan,
        kind,
        modelIn,
        sealed,
      );
      this.database.run('INSERT OR REPLACE INTO commitment_salts (commitment, sealed) VALUES (?, ?)', commitment, salt);
      this.record.append({
        kind: 'trained',
        plan,
        sumKind: kind,
        modelIn,
        vector: commitment,
        backend: vector.backend,
        sealed: sha256Hex(sealed),
        salt: sha256Hex(salt),
        from: origin === undefined ? null : committed(origin, vector.salt),
      });
      return vector;
    });
  }

  /** What opens the commitments of a vector, also after it was erased. Undefined when there is none. */
  saltOf(commitment: string): Uint8Array | undefined {
    const row = this.database.get('SELECT sealed FROM commitment_salts WHERE commitment = ?', commitment);
    return row === undefined ? undefined : decodeSalt(this.vault().openRecord(saltName(commitment), row['sealed'] as Uint8Array)).salt;
  }

  /** Salts and facts of all vectors that this site has made, newest first, also of erased ones. */
  *saltedFacts(): Generator<{ salt: Uint8Array; facts: VectorFacts }> {
    for (const row of this.database.all('SELECT commitment, sealed FROM commitment_salts ORDER BY rowid DESC')) {
      const { salt, facts } = decodeSalt(this.vault().openRecord(saltName(String(row['commitment'])), row['sealed'] as Uint8Array));
      if (facts !== undefined) yield { salt, facts };
    }
  }

  /** Replaces the vectors of a plan by their digests, which are sealed too: a vector of few numbers could be guessed from its digest. */
  eraseVectors(plan: string): void {
    this.database.transaction(() => {
      const erased: Extract<RecordFact, { kind: 'vectors-erased' }>['vectors'] = [];
      for (const row of this.database.all('SELECT kind, model_in FROM sealed_vectors WHERE plan = ? AND erased = 0', plan)) {
        const [kind, modelIn] = [String(row['kind']) as SumKind, String(row['model_in'])];
        const vector = this.vector(plan, kind, modelIn);
        if (vector === undefined) continue;
        const content = hexToBytes(sha256Hex(wordBytes(vector.coefficients)));
        const tombstone = this.vault().sealRecord(`erased-${vectorName(plan, kind, modelIn)}`, content);
        this.database.run(
          'UPDATE sealed_vectors SET sealed = ?, erased = 1 WHERE plan = ? AND kind = ? AND model_in = ?',
          tombstone,
          plan,
          kind,
          modelIn,
        );
        erased.push({ sumKind: kind, modelIn, sealed: sha256Hex(tombstone) });
      }
      if (erased.length > 0) this.record.append({ kind: 'vectors-erased', plan, vectors: erased });
    });
  }

  #vectorRow(plan: string, kind: SumKind, modelIn: string): { sealed: Uint8Array; erased: boolean } | undefined {
    const row = this.database.get(
      'SELECT sealed, erased FROM sealed_vectors WHERE plan = ? AND kind = ? AND model_in = ?',
      plan,
      kind,
      modelIn,
    );
    if (row === undefined) return undefined;
    return { sealed: (row['sealed'] as Uint8Array | null) ?? new Uint8Array(), erased: row['erased'] === 1 };
  }

  #isErased(plan: string, kind: SumKind, modelIn: string, tombstone: Uint8Array, vector: StoredVector): boolean {
    if (tombstone.length === 0) return false;
    const content = this.vault().openRecord(`erased-${vectorName(plan, kind, modelIn)}`, tombstone);
    return bytesToHex(content) === sha256Hex(wordBytes(vector.coefficients));
  }

  /**
   * Must return before the first coefficient is encrypted: stores that this (sum, attempt) is used and counts its blocks. Whatever happens later,
   * nothing is ever encrypted for this pair again, so no two ciphertexts can share an a_b.
   * @throws AgentError 'pair-not-growing' or 'block-limit'
   */
  reserveEncryption(run: string, epoch: number, sum: number, attempt: number, blocks: number): void {
    this.database.transaction(() => {
      const last = this.database.get('SELECT sum, attempt FROM last_encrypted WHERE run = ?', run);
      if (last !== undefined && !grows({ sum: Number(last['sum']), attempt: Number(last['attempt']) }, { sum, attempt })) {
        throw new AgentError(
          'pair-not-growing',
          `Sum ${sum} attempt ${attempt} of ${run} does not come after sum ${String(last['sum'])} attempt ${String(last['attempt'])}, the last one encrypted.`,
        );
      }
      const counted = this.database.run(
        'UPDATE epochs SET blocks = blocks + ?1 WHERE run = ?2 AND epoch = ?3 AND blocks + ?1 <= ?4',
        blocks,
        run,
        epoch,
        MAX_BLOCKS_PER_EPOCH,
      );
      if (counted !== 1) {
        throw new AgentError(
          'block-limit',
          `Another ${blocks} blocks would pass the limit of ${MAX_BLOCKS_PER_EPOCH} blocks that a site may encrypt in one key epoch. A new key epoch is needed.`,
        );
      }
      this.database.run(
        'INSERT INTO last_encrypted (run, sum, attempt) VALUES (?1, ?2, ?3) ON CONFLICT (run) DO UPDATE SET sum = ?2, attempt = ?3',
        run,
        sum,
        attempt,
      );
      this.record.append({ kind: 'encrypting', run, epoch, sum, attempt, blocks });
    });
  }

  lastEncrypted(run: string): { sum: number; attempt: number } | undefined {
    const row = this.database.get('SELECT sum, attempt FROM last_encrypted WHERE run = ?', run);
    return row === undefined ? undefined : { sum: Number(row['sum']), attempt: Number(row['attempt']) };
  }

  /** The largest number of a sum of this run that this site has encrypted for, bound itself to or applied; 0 for none. */
  largestSum(run: string): number {
    const row = this.database.get(
      'SELECT MAX(sum) AS largest FROM (SELECT sum FROM last_encrypted WHERE run = ?1 UNION ALL SELECT sum FROM frozen_sums WHERE run = ?1 UNION ALL SELECT applied_sum FROM run_states WHERE run = ?1)',
      run,
    );
    return Number(row?.['largest'] ?? 0);
  }

  frozenT(run: string, sum: number): string | undefined {
    const row = this.database.get('SELECT t FROM frozen_sums WHERE run = ? AND sum = ?', run, sum);
    return row === undefined ? undefined : String(row['t']);
  }

  /**
   * One T for a sum, for life, and one set for a model (R5). Stored before anything over them is signed or released. An update and an
   * evaluation of one model share their set: both carry holdout sums, and two sets would show one site's holdout count and error.
   * `confirm` opens one public vector each and is exempt from the set rule.
   * @throws AgentError 'sum-changed' or 'set-changed'
   */
  bindFreeze(freeze: {
    consortium: string;
    run: string;
    sum: number;
    kind: SumKind;
    modelIn: string;
    t: string;
    set: string;
    sites: readonly string[];
    /** The approved way to this set from the one that is in force. */
    change?: ApprovedChange | undefined;
  }): void {
    const { consortium, run, sum, kind, modelIn, t, set, sites, change } = freeze;
    this.database.transaction(() => {
      this.#bindSum(run, sum, t);
      const stored = this.frozenT(run, sum);
      if (stored !== t) {
        throw new AgentError(
          'sum-changed',
          `Sum ${sum} of ${run} was frozen with T ${stored ?? ''}; another T, ${t}, is refused for ever.`,
        );
      }
      if (kind === 'confirm') return;
      this.sets.bind({ consortium, kind, modelIn }, { set, sites: [...sites] }, change);
    });
  }

  /** The sites over which alone this site lets a sum of this kind from this model be opened; undefined before it has bound itself. */
  countedSites(consortium: string, kind: SumKind, modelIn: string): string[] | undefined {
    return this.sets.inForce({ consortium, kind, modelIn })?.sites;
  }

  /**
   * Binds again what an attestation of this site bound for life and a restored journal has forgotten: in a later run or epoch, too, nothing else may be
   * signed for these sums and models. The sites of a set are not in an attestation, only their digest.
   */
  recallAttestation({ consortium, run, kind, sums }: Predicate<'attestation'>): void {
    this.database.transaction(() => {
      for (const { sum, t, set, modelIn } of sums) {
        this.#bindSum(run, sum, t);
        if (kind !== 'confirm') this.sets.recall({ consortium, kind, modelIn }, set);
      }
    });
  }

  #bindSum(run: string, sum: number, t: string): void {
    const bound = this.database.run('INSERT OR IGNORE INTO frozen_sums (run, sum, t) VALUES (?, ?, ?)', run, sum, t);
    if (bound > 0) this.record.append({ kind: 'sum-frozen', run, sum, t });
  }
}

function grows(last: { sum: number; attempt: number }, next: { sum: number; attempt: number }): boolean {
  return next.sum > last.sum || (next.sum === last.sum && next.attempt > last.attempt);
}
