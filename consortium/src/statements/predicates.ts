import { SEALING_PUBLIC_KEY_BYTES } from '@coferment/crypto';
import { z } from 'zod';

/** Lower-case hex SHA-256. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
/** Version 0.1 accepts up to 128 sites, as the budget table of the protocol does. */
export const MAX_SITES = 128;
export const MAX_KEY_HOLDERS = 12;

export const siteIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'must be 1 to 40 lower-case letters, digits or hyphens');
const consortiumSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/);
const runSchema = z.string().regex(/^r[0-9]{1,6}-[0-9a-f]{16}$/);
const keySchema = digestSchema;
/** Both halves, X25519 and ML-KEM-768, as one key under one signature. */
export const sealingKeySchema = z
  .string()
  .length(2 * SEALING_PUBLIC_KEY_BYTES)
  .regex(/^[0-9a-f]+$/, 'must be lower-case hexadecimal digits');
const nonceSchema = digestSchema;
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const positive = count.min(1);
/** Characters of a reason or another text that is signed. */
export const MAX_TEXT = 500;
const text = z.string().max(MAX_TEXT);
const sites = z.array(siteIdSchema).max(MAX_SITES);
/** `none` where a sum does not start from a model (confirm, statistics). */
const modelSchema = z.union([digestSchema, z.literal('none')]);

export const ledgerReadersSchema = z.enum(['members', 'members-and-auditors', 'anyone']);
export const siteNamesSchema = z.enum(['plain', 'pseudonyms']);
/** How many of the consortium's witnesses must have cosigned a checkpoint before a receipt counts. `majority`: of the sites, so that two quorums always share one. */
export const witnessQuorumSchema = z.union([z.number().int().min(0).max(MAX_SITES), z.literal('majority')]);
/** Verifier keys (C2SP) of witnesses outside the consortium. */
export const outsideWitnessesSchema = z.array(z.string().max(300)).max(16);

export const sumKindSchema = z.enum(['confirm', 'statistics', 'update', 'evaluate']);
/** What a sum opens. Each kind is a domain of its own: a share of one kind never opens another. */
export type SumKind = z.infer<typeof sumKindSchema>;

export const exclusionReasonSchema = z.enum(['late', 'dropped', 'refused', 'absent', 'set-aside']);
/** Why a site of the epoch is not in the counted set. */
export type ExclusionReason = z.infer<typeof exclusionReasonSchema>;

const inRun = { consortium: consortiumSchema, run: runSchema };
const inEpoch = { ...inRun, epoch: positive };
const inSum = { ...inRun, e: digestSchema, kind: sumKindSchema, sum: positive };

export const nonceListSchema = z.array(z.strictObject({ site: siteIdSchema, nonce: nonceSchema })).max(MAX_SITES);
export const countedListSchema = z.array(z.strictObject({ site: siteIdSchema, merkleRoot: digestSchema })).max(MAX_SITES);
/** Characters of what is said beside a reason. */
export const MAX_DETAIL = 200;
/** `detail`: how it came to that, for people; who counts never depends on it. */
export const excludedListSchema = z
  .array(z.strictObject({ site: siteIdSchema, reason: exclusionReasonSchema, detail: z.string().max(MAX_DETAIL).optional() }))
  .max(MAX_SITES);
/** Of a sum that was given up: `ready` are those that had done their part when it ended over others. */
export const givenUpListSchema = z
  .array(
    z.strictObject({
      site: siteIdSchema,
      reason: z.enum([...exclusionReasonSchema.options, 'ready']),
      detail: z.string().max(MAX_DETAIL).optional(),
    }),
  )
  .max(MAX_SITES);
const dealingListSchema = z.array(z.strictObject({ site: siteIdSchema, dealing: digestSchema })).max(MAX_SITES);

/** Why a run has another key epoch after its first, and whom the operator left out of it or took the key shares from. */
const renewalSchema = z.strictObject({ reason: text, leftOut: sites, replaced: z.array(siteIdSchema).max(MAX_KEY_HOLDERS) });

/**
 * Every signed act of the consortium, by name. The name is the purpose of the signature: a statement of one name never
 * verifies as another. Unknown fields are refused, so no act can carry anything that is not listed here.
 */
export const predicates = {
  'consortium-founded': z.strictObject({
    consortium: consortiumSchema,
    origin: z.string().max(200),
    operatorKey: keySchema,
    wireVersion: z.string().max(20),
  }),
  'site-enrolled': z.strictObject({ consortium: consortiumSchema, site: siteIdSchema, identityKey: keySchema, certificate: digestSchema }),
  'site-revoked': z.strictObject({ consortium: consortiumSchema, site: siteIdSchema, reason: text }),
  /** By the site itself: it ends its membership. */
  'site-left': z.strictObject({ consortium: consortiumSchema, site: siteIdSchema, reason: text }),
  'auditor-enrolled': z.strictObject({
    consortium: consortiumSchema,
    auditor: siteIdSchema,
    identityKey: keySchema,
    certificate: digestSchema,
  }),
  'auditor-revoked': z.strictObject({ consortium: consortiumSchema, auditor: siteIdSchema, reason: text }),
  /** Who may read the ledger, whether sites stand in it by name or by a pseudonym that each can open, and who must have cosigned it. */
  charter: z.strictObject({
    consortium: consortiumSchema,
    ledgerReaders: ledgerReadersSchema,
    siteNames: siteNamesSchema,
    witnessQuorum: witnessQuorumSchema,
    witnesses: outsideWitnessesSchema,
  }),
  /** By the site itself: the Ed25519 key with which it cosigns checkpoints, and does nothing else. A later one takes the place of the one before. */
  'witness-key': z.strictObject({ consortium: consortiumSchema, site: siteIdSchema, key: keySchema }),
  /** Whose certificates are believed: PEM, newest first. A larger sequence number takes the place of every smaller one. */
  authorities: z.strictObject({
    consortium: consortiumSchema,
    sequence: positive,
    certificates: z.array(z.string().max(10_000)).min(1).max(2),
  }),
  'plan-published': z.strictObject({ consortium: consortiumSchema, plan: digestSchema, name: z.string().max(100) }),
  'plan-approved': z.strictObject({ consortium: consortiumSchema, site: siteIdSchema, plan: digestSchema, ordinal: positive, sites }),
  'run-opened': z.strictObject({ ...inRun, plan: digestSchema, ordinal: positive, sites }),
  'sealing-key': z.strictObject({ ...inEpoch, site: siteIdSchema, key: sealingKeySchema }),
  'roster-approved': z.strictObject({ ...inEpoch, site: siteIdSchema, roster: digestSchema, fingerprint: digestSchema, e0: digestSchema }),
  dealing: z.strictObject({
    ...inEpoch,
    e0: digestSchema,
    site: siteIdSchema,
    commitments: z.array(digestSchema).max(MAX_KEY_HOLDERS),
    masked: digestSchema,
    boxes: z.array(z.strictObject({ holder: siteIdSchema, object: digestSchema })).max(MAX_KEY_HOLDERS),
  }),
  'dealing-ack': z.strictObject({ ...inEpoch, e0: digestSchema, dealer: siteIdSchema, site: siteIdSchema, dealing: digestSchema }),
  'dealing-refused': z.strictObject({
    ...inEpoch,
    e0: digestSchema,
    dealer: siteIdSchema,
    site: siteIdSchema,
    dealing: digestSchema,
    reason: text,
  }),
  'epoch-agreed': z.strictObject({
    ...inEpoch,
    e0: digestSchema,
    e: digestSchema,
    site: siteIdSchema,
    dealings: dealingListSchema,
    leftOut: sites,
  }),
  /** This site signs, encrypts and opens nothing more in the epoch. `restored`: its data folder is a backup from before acts that the ledger has. */
  'epoch-left': z.strictObject({ ...inEpoch, site: siteIdSchema, reason: z.enum(['restored']) }),
  'key-epoch': z.strictObject({
    ...inEpoch,
    roster: digestSchema,
    e0: digestSchema,
    e: digestSchema,
    numbers: z.strictObject({ n: positive, m: positive, tau: positive, c: count, rho: positive, minContributors: positive }),
    keyHolders: z.array(siteIdSchema).max(MAX_KEY_HOLDERS),
    dealings: dealingListSchema,
    leftOut: sites,
    renewal: renewalSchema.optional(),
  }),
  /** A site tells the operator what it refused, and by which rule. It stays off the ledger: a site's own rules are its own business. */
  'instruction-refused': z.strictObject({
    ...inRun,
    site: siteIdSchema,
    subject: z.string().max(100),
    rule: z.string().max(60),
    reason: text,
  }),
  nonce: z.strictObject({ ...inSum, i: digestSchema, attempt: positive, site: siteIdSchema, nonce: nonceSchema }),
  'attempt-declined': z.strictObject({
    ...inSum,
    attempt: positive,
    site: siteIdSchema,
    reason: z.enum(['nonce-lost', 'ciphertext-lost', 'refused', 'no-data', 'withdrawn']),
  }),
  contribution: z.strictObject({
    ...inSum,
    k: digestSchema,
    attempt: positive,
    site: siteIdSchema,
    blocks: positive,
    droppedBits: count,
    object: digestSchema,
    merkleRoot: digestSchema,
    ranges: digestSchema,
    /** What could be guessed stands here under a salt, which only its owner can open: see `commitment.rule`. */
    sampleCommitment: digestSchema,
    batchCommitment: digestSchema,
    dataReportCommitment: digestSchema,
    backend: z.enum(['wasm', 'cpu', 'tensorflow', 'none']),
  }),
  'round-frozen': z.strictObject({
    ...inSum,
    epoch: positive,
    round: count,
    attempt: positive,
    i: digestSchema,
    modelIn: modelSchema,
    ranges: digestSchema,
    normalisation: digestSchema,
    weightRule: text,
    nonces: nonceListSchema,
    k: digestSchema,
    t: digestSchema,
    counted: countedListSchema,
    excluded: excludedListSchema,
  }),
  attestation: z.strictObject({
    ...inEpoch,
    e: digestSchema,
    kind: sumKindSchema,
    site: siteIdSchema,
    sums: z
      .array(z.strictObject({ sum: positive, k: digestSchema, t: digestSchema, set: digestSchema, modelIn: modelSchema }))
      .min(1)
      .max(MAX_SITES),
  }),
  share: z.strictObject({
    ...inSum,
    k: digestSchema,
    t: digestSchema,
    site: siteIdSchema,
    blocks: positive,
    object: digestSchema,
    merkleRoot: digestSchema,
  }),
  aggregate: z.strictObject({
    ...inSum,
    epoch: positive,
    round: count,
    k: digestSchema,
    t: digestSchema,
    sumObject: digestSchema,
    certificate: z.array(z.strictObject({ site: siteIdSchema, attestation: digestSchema })).max(MAX_SITES),
    shares: z.array(z.strictObject({ site: siteIdSchema, share: digestSchema })).max(MAX_KEY_HOLDERS),
    modelIn: modelSchema,
    modelOut: modelSchema,
  }),
  evaluation: z.strictObject({
    ...inRun,
    round: count,
    sum: positive,
    model: digestSchema,
    metric: z.string().max(20),
    value: z.number(),
    holdoutCount: count,
  }),
  'round-abandoned': z.strictObject({ ...inSum, round: count, attempt: positive, reason: text, excluded: givenUpListSchema }),
  'round-garbled': z.strictObject({
    ...inSum,
    round: count,
    reason: z.enum(['parity', 'residual', 'confirm-mismatch', 'weights']),
    named: sites,
  }),
  'round-stuck': z.strictObject({ ...inSum, round: count, reason: text }),
  /**
   * A sum that cannot complete over the set that was frozen for it is to be made over another one. What both sums together say is the difference of the two
   * sets, so every site in that difference and every signer of the first has to approve (secure-aggregation.md §3).
   */
  'new-set-proposed': z.strictObject({
    ...inSum,
    modelIn: modelSchema,
    t: digestSchema,
    before: sites.min(1),
    after: sites.min(1),
    approvers: sites.min(1),
  }),
  /** By each of them. `proposal` is the digest of the operator's statement, and everything in it was shown. */
  'new-set-approved': z.strictObject({ ...inSum, site: siteIdSchema, proposal: digestSchema, before: sites.min(1), after: sites.min(1) }),
  /**
   * The operator's hand on a run: what happened to its clock is in the ledger, since the plan's deadlines were approved. `pause` and `extension` count from 1
   * within a run, so that no two of these acts are the same bytes.
   */
  'run-paused': z.strictObject({ ...inRun, pause: positive, reason: text }),
  'run-resumed': z.strictObject({ ...inRun, pause: positive }),
  'deadline-extended': z.strictObject({ ...inRun, extension: positive, sum: positive, byMs: positive, reason: text }),
  /** A site that was set aside is waited for again. `sum`: the last that waited for it in vain, so that no two readmissions are the same act. */
  'site-readmitted': z.strictObject({ ...inRun, site: siteIdSchema, sum: positive }),
  'model-released': z.strictObject({ ...inRun, model: digestSchema, parameters: positive }),
  'run-closed': z.strictObject({
    ...inRun,
    status: z.enum(['completed', 'aborted', 'failed']),
    rounds: count,
    model: modelSchema,
    contributions: z.array(z.strictObject({ site: siteIdSchema, updates: count })).max(MAX_SITES),
  }),
} as const;

export type PredicateName = keyof typeof predicates;
export type Predicate<N extends PredicateName> = z.infer<(typeof predicates)[N]>;

/** Acts of the coordinator, signed with the operator's key; all others are signed by the site they name. */
export const operatorPredicates = [
  'consortium-founded',
  'site-enrolled',
  'site-revoked',
  'auditor-enrolled',
  'auditor-revoked',
  'charter',
  'authorities',
  'plan-published',
  'run-opened',
  'key-epoch',
  'round-frozen',
  'aggregate',
  'evaluation',
  'round-abandoned',
  'round-garbled',
  'round-stuck',
  'new-set-proposed',
  'run-paused',
  'run-resumed',
  'deadline-extended',
  'site-readmitted',
  'model-released',
  'run-closed',
] as const satisfies readonly PredicateName[];

/** Transport-only acts: they open an attempt and mean nothing after it, so the ledger leaves them out. */
export const unledgeredPredicates = ['nonce', 'attempt-declined', 'instruction-refused'] as const satisfies readonly PredicateName[];
