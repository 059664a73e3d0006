import { canonicalBytes, digestSchema, siteIdSchema, sumKindSchema } from '@coferment/consortium';
import { digest } from '@coferment/crypto';
import { z } from 'zod';
import { RecordError } from './record.error.js';

/*
 * The site's own record: what this site decided, signed, sent and refused, in the order in which it happened. One entry is one line of RFC 8785 JSON; its
 * hash covers the hash of the entry before it, so that no line can be changed, taken out or moved without changing every hash that follows (the linked
 * time stamps of Haber and Stornetta, 1991). It holds names, sizes and digests, and neither records of batches nor keys.
 */

/** What the first entry follows. */
export const BEFORE_THE_FIRST = '0'.repeat(64);
const RECORD_SCHEMA = 1;

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** Not bounded: what was written must be readable, however long a reason was. */
const text = z.string();
const run = text;
const cell = z.union([z.string(), z.number(), z.null()]);
const sites = z.array(text);
const modelSchema = z.union([digestSchema, z.literal('none')]);

/** Who decided at this site: a person at the command line, or the standing rules of its policy file. */
const decidedBySchema = z.enum(['person', 'policy']);

/** What showed that the log is not one: a checkpoint of the coordinator, one of another member, or the entries that were read. */
export const foundBySchema = z.enum(['checkpoint', 'comparison', 'entries']);

/** What the operator is told of a refusal; null when nothing. */
const tellingSchema = z.strictObject({ rule: text, reason: text });

const base = { schema: z.literal(RECORD_SCHEMA), seq: count.min(1), time: z.number().int(), previous: digestSchema };
const decision = { row: count, plan: text, ordinal: count, sites: sites.nullable(), by: decidedBySchema, reason: text };
const inSum = { run, sum: count, sumKind: sumKindSchema };
const boundSet = z.strictObject({ set: digestSchema, sites });

/** Every kind of entry, in the order of a membership's life. `row` is the number of the row in its table. */
export const recordKinds = {
  /** The first entry. `tables`: what the journal held already, when it is older than its record. */
  opened: z.strictObject({
    journal: z.string().regex(/^[0-9a-f]{32}$/),
    tables: z.array(z.strictObject({ table: z.string(), rows: count, digest: digestSchema })),
  }),
  /** A row from before the record. Long and sealed values stand as their digests. */
  'carried-over': z.strictObject({ table: z.string(), row: z.record(z.string(), cell) }),
  joined: z.strictObject({ consortium: text, site: siteIdSchema, identityKey: digestSchema, operatorKey: digestSchema }),
  'authorities-changed': z.strictObject({ digest: digestSchema }),
  'certificate-renewed': z.strictObject({ until: text }),
  /** Null: this site has no policy file any more. */
  'policy-changed': z.strictObject({ digest: digestSchema.nullable() }),
  'membership-left': z.strictObject({ reason: text }),
  'agent-started': z.strictObject({ software: text }),
  'agent-stopped': z.strictObject({}),
  connection: z.strictObject({ state: z.enum(['connected', 'disconnected']), detail: text }),

  'plan-approved': z.strictObject(decision),
  'plan-rejected': z.strictObject(decision),
  'plan-withdrawn': z.strictObject(decision),
  /** An approval from before the plan was announced counts for the first site list that it meets. */
  'approval-bound': z.strictObject({ row: count, sites }),
  'roster-approved': z.strictObject({ row: count, fingerprint: text }),
  /** From here on this is the roster that counts as approved; `use` counts such changes. */
  'roster-used': z.strictObject({ rows: z.array(count), fingerprint: text, use: count }),

  /** People of this site are shown a roster; `entries`: the last approval that had been entered before. */
  'roster-shown': z.strictObject({ run, epoch: count, roster: digestSchema, fingerprint: text, entries: count }),

  /** People of this site are shown another set for a sum. */
  'new-set-shown': z.strictObject({
    ...inSum,
    proposal: digestSchema,
    modelIn: modelSchema,
    before: sites,
    after: sites,
    approvers: sites,
    earlier: z.array(sites),
  }),
  /** By a person, who entered the digest of the proposal. */
  'new-set-approved': z.strictObject({ run, proposal: digestSchema, reason: text }),
  'new-set-rejected': z.strictObject({ run, proposal: digestSchema, reason: text }),

  'run-announced': z.strictObject({ run, plan: text, ordinal: count, sites }),
  'run-state': z.strictObject({ run, state: z.enum(['asked', 'approved', 'dead', 'closed']), detail: text }),
  'epoch-opened': z.strictObject({ run, epoch: count, roster: digestSchema, fingerprint: digestSchema, e0: digestSchema }),
  'epoch-agreed': z.strictObject({ run, epoch: count, e: digestSchema }),
  'epoch-left': z.strictObject({ run, epoch: count, reason: text }),
  'epoch-left-told': z.strictObject({ run, epoch: count }),
  /** Null: the keys of all epochs of the run. */
  'keys-erased': z.strictObject({ run, epoch: count.nullable() }),

  /** `envelope`: SHA-256 of the signed statement as it is stored; `digest`: of the bytes that are signed. */
  signed: z.strictObject({ run, name: text, subject: text, digest: digestSchema, envelope: digestSchema }),
  /**
   * A vector was made for a sum, the only one for its plan, kind and model. `vector` and the two `records` are commitments under a salt that stays sealed
   * at this site: whoever reads the record cannot try out vectors or records. `start`: the object with the state that it started from.
   */
  trained: z.strictObject({
    plan: text,
    sumKind: sumKindSchema,
    modelIn: modelSchema,
    vector: digestSchema,
    backend: z.enum(['wasm', 'cpu', 'tensorflow', 'none']),
    sealed: digestSchema,
    salt: digestSchema,
    from: z
      .strictObject({
        run,
        epoch: count,
        sum: count,
        round: count,
        start: digestSchema.nullable(),
        batches: digestSchema,
        mapping: digestSchema,
        software: text,
      })
      .nullable(),
  }),
  'vectors-erased': z.strictObject({
    plan: text,
    vectors: z.array(z.strictObject({ sumKind: sumKindSchema, modelIn: modelSchema, sealed: digestSchema })),
  }),
  'material-pruned': z.strictObject({ run, objects: count, bytes: count }),
  encrypting: z.strictObject({ run, epoch: count, sum: count, attempt: count, blocks: count }),
  'sum-frozen': z.strictObject({ run, sum: count, t: digestSchema }),
  'set-counted': z.strictObject({
    consortium: text,
    sumKind: sumKindSchema,
    modelIn: modelSchema,
    set: digestSchema,
    sites,
  }),
  /** Another set took the place of one that was bound. `proposal`: that all concerned approved; null where a restored journal learnt of it from the ledger. */
  'set-replaced': z.strictObject({
    consortium: text,
    sumKind: sumKindSchema,
    modelIn: modelSchema,
    place: count,
    before: boundSet,
    after: boundSet,
    proposal: digestSchema.nullable(),
  }),
  drawn: z.strictObject({ run, sum: count, aggregate: digestSchema, blocks: z.array(count) }),
  /** How far this site is in a sum. */
  step: z.strictObject({ ...inSum, round: count, attempt: count, state: text }),
  /** `state` and `model`: SHA-256 of what is stored; null before there is a model. */
  applied: z.strictObject({ run, sum: count, state: digestSchema, model: digestSchema.nullable(), modelSum: count }),

  /** A contribution was counted: the coordinator owes this site a receipt of it. */
  'receipt-owed': z.strictObject({ ...inSum, round: count, attempt: count, contribution: digestSchema }),
  /** Too few witnesses have cosigned so far; so many are needed. */
  'receipt-waits': z.strictObject({ run, contribution: digestSchema, needed: count }),
  /** It was verified and stored. SHA-256 of each part. */
  'receipt-stored': z.strictObject({
    run,
    contribution: digestSchema,
    contributionProof: digestSchema,
    freezeProof: digestSchema,
    freeze: digestSchema,
    policy: digestSchema,
  }),

  /** Written before the first byte goes out. */
  sending: z.strictObject({ row: count, run, name: text, bytes: count, digest: digestSchema }),
  answered: z.strictObject({ row: count, outcome: text }),
  'instruction-refused': z.strictObject({ row: count, run, subject: text, code: text, message: text, telling: tellingSchema.nullable() }),
  'refusal-told': z.strictObject({ row: count }),
  /** This site was asked for its update of a round for the first time. */
  'round-asked': z.strictObject({ run, round: count }),
  waiting: z.strictObject({ run, subject: text, reason: text, whatToDo: text }),
  'no-longer-waiting': z.strictObject({ run, subject: text }),
  /** `frontier`: SHA-256 of the hashes of the complete subtrees as they are stored. */
  'ledger-read': z.strictObject({ entries: count, lastEntry: text, frontier: digestSchema.optional() }),
  'act-forgotten': z.strictObject({
    run,
    digest: digestSchema,
    name: text,
    epoch: count.nullable(),
    e: text.nullable(),
    sumKind: sumKindSchema.nullable(),
    sum: count.nullable(),
  }),
  /**
   * This site has cosigned a checkpoint over `size` entries, `cosignatures` in all by now. Not each of them has an entry: rounds make many, and each vouches for
   * all before it, since a site cosigns only what extends the last.
   */
  'checkpoint-cosigned': z.strictObject({ size: text, root: digestSchema, cosignatures: count }),
  /** `evidence`: SHA-256 of what is kept. */
  'split-view-found': z.strictObject({ row: count, foundBy: foundBySchema, what: text, evidence: digestSchema }),
  /** By a person. `goesOn`: the checkpoint that this site takes as the last from here on; null where that stays as it was. */
  'split-view-dismissed': z.strictObject({
    row: count,
    reason: text,
    goesOn: z.strictObject({ size: text, root: digestSchema }).nullable(),
  }),
  /** An act of the ledger that says who may cosign. */
  'roll-read': z.strictObject({ entry: count, name: text, statement: digestSchema }),
  /** The ledger is read from its beginning again. */
  'roll-cleared': z.strictObject({}),

  /** The head with this number was signed with the key of the site. */
  'head-signed': z.strictObject({ head: count }),
} as const;

export type RecordKind = keyof typeof recordKinds;
type Fields<K extends RecordKind> = z.infer<(typeof recordKinds)[K]>;
/** What happened, before it has its place in the record. */
export type RecordFact = { [K in RecordKind]: { kind: K } & (Fields<K> extends Record<string, never> ? object : Fields<K>) }[RecordKind];
export type RecordEntry = RecordFact & { schema: typeof RECORD_SCHEMA; seq: number; time: number; previous: string };

/** A line as it stands in the record. */
export interface RecordLine {
  seq: number;
  line: string;
  hash: string;
}

const entrySchemas = Object.fromEntries(
  Object.entries(recordKinds).map(([kind, schema]) => [kind, schema.extend({ ...base, kind: z.literal(kind) })]),
) as unknown as Record<RecordKind, z.ZodType<RecordEntry>>;

export function lineOf(fact: RecordFact, place: { seq: number; time: number; previous: string }): string {
  return Buffer.from(canonicalBytes(wellFormed({ schema: RECORD_SCHEMA, ...place, ...fact }))).toString('utf8');
}

/** SQLite keeps text as UTF-8, which has no lone surrogates, and RFC 8785 has none either; a stranger's text must not keep an entry from being written. */
function wellFormed<T>(value: T): T {
  if (typeof value === 'string') return value.toWellFormed() as T;
  if (Array.isArray(value)) return value.map(wellFormed) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, wellFormed(item)])) as T;
}

/** The hash of an entry: everything before it is in `previous`. */
export function hashOf(previous: string, line: string): string {
  return digest('journal-entry', previous, line);
}

/** Reads a line strictly: only the canonical form of a known entry. @throws RecordError */
export function parseLine(line: string): RecordEntry {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch (error) {
    throw new RecordError(`it is not JSON (${(error as Error).message})`);
  }
  const kind = (raw as { kind?: unknown } | null)?.kind;
  if (typeof kind !== 'string' || !Object.hasOwn(recordKinds, kind))
    throw new RecordError(`its kind, ${JSON.stringify(kind)?.slice(0, 60) ?? 'none'}, is not known. Was it written by a newer agent?`);
  const parsed = entrySchemas[kind as RecordKind].safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RecordError(`"${issue?.path.join('.') ?? ''}" of it is wrong: ${issue?.message ?? ''}`);
  }
  if (Buffer.from(canonicalBytes(parsed.data)).toString('utf8') !== line) throw new RecordError('it is not in canonical form (RFC 8785)');
  return parsed.data;
}
