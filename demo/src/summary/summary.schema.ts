import { digestSchema, exclusionReasonSchema, siteIdSchema } from '@coferment/consortium';
import { z } from 'zod';
import { FAULTS } from '../cli/demo.options.js';

const error = z.number().min(0);
const count = z.number().int().min(0);
const positive = count.min(1);

/** summary.json, version 1. Other programs read it: fields may be added in a later version, none may change its name or meaning. */
export const summarySchema = z.strictObject({
  schemaVersion: z.literal(1),
  machine: z.strictObject({ node: z.string(), backend: z.string() }),
  fault: z.enum(FAULTS),
  /** `file` is relative to the folder of the summary. */
  model: z.strictObject({ digest: digestSchema, file: z.string(), parameters: positive }),
  run: z.strictObject({ id: z.string(), planDigest: digestSchema, status: z.enum(['completed', 'aborted', 'failed']), rounds: count }),
  sites: z
    .array(
      z.strictObject({
        id: siteIdSchema,
        /** Error of this site's own model on the common test set of all sites. */
        localOnly: error,
        /** Errors on this site's own test batches. */
        ownTest: z.strictObject({ localOnly: error, federated: error }),
      }),
    )
    .min(1),
  /** All on the common test set; `localOnly` is the mean over sites. */
  metric: z.strictObject({ name: z.string(), unit: z.string(), localOnly: error, federated: error, pooled: error }),
  aggregation: z.strictObject({
    /** Name of the parameter set. */
    parameters: z.string(),
    keyHolders: positive,
    threshold: positive,
    collusionBound: count,
    attestQuorum: positive,
    modelParameters: positive,
    /** Ciphertext bytes that one site sends for one update, per model parameter. */
    uploadBytesPerParameter: z.number().positive(),
    rounds: z.array(
      z.strictObject({
        /** Training round, from 1. */
        round: positive,
        attempt: positive,
        counted: z.array(siteIdSchema),
        excluded: z.array(z.strictObject({ site: siteIdSchema, reason: exclusionReasonSchema })),
      }),
    ),
  }),
  ledger: z.strictObject({ origin: z.string(), size: positive, rootHash: z.string(), keySource: z.string(), verified: z.boolean() }),
  audit: z.strictObject({
    /** That cosigned the checkpoint. */
    witnesses: count,
    /** Opened again from the stored ciphertexts and decryption shares. */
    sumsRecomputed: count,
    recomputedBitForBit: z.boolean(),
    /** One site's receipt of its last contribution. */
    receipt: z.strictObject({ site: siteIdSchema, holds: z.boolean(), witnesses: count }),
    /** The auditor's page, relative to the folder of the summary. */
    report: z.string(),
  }),
  seconds: z.strictObject({ total: error, perRoundMedian: error }),
});

export type Summary = z.output<typeof summarySchema>;
