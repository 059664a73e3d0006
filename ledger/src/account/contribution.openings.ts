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
import type { OpenedFacts, OpeningProblem } from './account.types.js';

/** What a site hands to whom it likes: the contribution, by the SHA-256 of its signed text, and what opens its commitments. */
const openedContributionSchema = z.strictObject({ contribution: digestSchema, openings: z.array(openingSchema).min(1).max(16) });
export type OpenedContribution = z.infer<typeof openedContributionSchema>;

/** One contribution's openings, or a list of them. */
const openingFileSchema = z.union([openedContributionSchema, z.array(openedContributionSchema).max(100_000)]);

/** @throws LedgerError 'malformed-opening' */
export function parseOpenings(text: string): OpenedContribution[] {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw new LedgerError('malformed-opening', `it is not JSON: ${(error as Error).message}`);
  }
  const parsed = openingFileSchema.safeParse(raw);
  if (!parsed.success)
    throw new LedgerError(
      'malformed-opening',
      'it is no opening of contributions; expected {"contribution": SHA-256, "openings": [{"fact", "key", "value"}, …]}, or a list of them',
    );
  return Array.isArray(parsed.data) ? parsed.data : [parsed.data];
}

const commitmentsOf: Readonly<Record<CommittedFact, (contribution: Predicate<'contribution'>) => string>> = {
  samples: ({ sampleCommitment }) => sampleCommitment,
  batches: ({ batchCommitment }) => batchCommitment,
  'data-report': ({ dataReportCommitment }) => dataReportCommitment,
};

/** One for all, since a ledger has many contributions and few of them are opened. */
const nothingOpened: OpenedFacts = {};

/** Openings that wait for their contributions. What does not open is no fact: it is told as a problem, and the commitment stays closed. */
export class ContributionOpenings {
  readonly #waiting = new Map<string, CommitmentOpening[]>();
  readonly #problems: OpeningProblem[] = [];
  #verified = 0;

  constructor(given: readonly OpenedContribution[] = []) {
    for (const { contribution, openings } of given)
      this.#waiting.set(contribution, [...(this.#waiting.get(contribution) ?? []), ...openings]);
  }

  /** What was given of this contribution and opens the commitments that its site has signed. */
  open(digest: string, contribution: Predicate<'contribution'>): OpenedFacts {
    const waiting = this.#waiting.get(digest);
    if (waiting === undefined) return nothingOpened;
    const facts: { samples?: number; batches?: number; dataReport?: string } = {};
    for (const opening of waiting) {
      const isOfItsKind = typeof opening.value === (opening.fact === 'data-report' ? 'string' : 'number');
      if (!isOfItsKind || commitmentOf(opening) !== commitmentsOf[opening.fact](contribution)) {
        this.#problems.push({
          contribution: digest,
          problem: `"${opening.value}" is not the ${opening.fact} that ${contribution.site} has committed to, or the key is not the one for it`,
        });
        continue;
      }
      this.#verified++;
      if (opening.fact === 'data-report' && typeof opening.value === 'string') facts.dataReport = opening.value;
      else if (opening.fact === 'samples' && typeof opening.value === 'number') facts.samples = opening.value;
      else if (opening.fact === 'batches' && typeof opening.value === 'number') facts.batches = opening.value;
    }
    this.#waiting.delete(digest);
    return facts;
  }

  result(): { verified: number; problems: OpeningProblem[] } {
    const strangers = [...this.#waiting.keys()].map((contribution) => ({
      contribution,
      problem: 'no verified entry of this ledger is such a contribution',
    }));
    return { verified: this.#verified, problems: [...this.#problems, ...strangers] };
  }
}
