import { bytesToHex, digest, hash, hexToBytes } from '@coferment/crypto';
import { z } from 'zod';
import { digestSchema } from './predicates.js';

/** What a contribution tells about a site's data without telling it. */
export const committedFacts = ['samples', 'batches', 'data-report'] as const;
export type CommittedFact = (typeof committedFacts)[number];

/** A count, or the SHA-256 of a document in lower-case hex. */
export type CommittedValue = number | string;

/**
 * What opens one commitment and no other. The key follows from the contribution's salt through a hash, so that whoever is shown the number of samples learns
 * nothing that would open the number of batches.
 */
export const openingSchema = z.strictObject({
  fact: z.enum(committedFacts),
  key: digestSchema,
  value: z.union([z.number().int().min(0).max(Number.MAX_SAFE_INTEGER), digestSchema]),
});
export type CommitmentOpening = z.infer<typeof openingSchema>;

/** @param salt 32 bytes that never leave the site */
export function openingOf(fact: CommittedFact, salt: Uint8Array, value: CommittedValue): CommitmentOpening {
  return { fact, key: bytesToHex(hash('commitment-key', fact, salt)), value };
}

/** What stands in the ledger: 64 lower-case hexadecimal digits that say nothing to whoever has no key. */
export function commitmentOf({ fact, key, value }: CommitmentOpening): string {
  return digest('commitment', fact, hexToBytes(key), value);
}
