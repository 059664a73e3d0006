import {
  type CommitmentOpening,
  type CommittedFact,
  type Predicate,
  commitmentOf,
  digestSchema,
  openingSchema,
} from '@coferment/consortium';
import { z } from 'zod';
import { LedgerError } from '../errors/index.js';

/** What a site hands out to open commitments of one contribution, and of no other. */
const openingFileSchema = z.strictObject({
  /** SHA-256 of the contribution as it was signed. */
  contribution: digestSchema,
  openings: z.array(openingSchema).min(1).max(3),
});
export type OpeningFile = z.infer<typeof openingFileSchema>;

/** Which commitment of a contribution each fact opens. */
export const commitmentFields = {
  samples: 'sampleCommitment',
  batches: 'batchCommitment',
  'data-report': 'dataReportCommitment',
} as const satisfies Record<CommittedFact, keyof Predicate<'contribution'>>;

/** @throws LedgerError 'malformed-receipt' */
export function parseOpeningFile(text: string): OpeningFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new LedgerError('malformed-receipt', 'this is not a file with openings: it is not JSON');
  }
  const parsed = openingFileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LedgerError('malformed-receipt', `this is not a file with openings: "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}`);
}

/** Whether this is what the site committed itself to when it signed. */
export function opens(contribution: Predicate<'contribution'>, opening: CommitmentOpening): boolean {
  return commitmentOf(opening) === contribution[commitmentFields[opening.fact]];
}
