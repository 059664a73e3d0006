import type { CommitmentOpening, CommittedFact, Predicate } from '@coferment/consortium';
import { opens } from '@coferment/ledger';
import type { Journal } from '../journal/journal.js';
import { openingsOf } from '../journal/stored.vector.js';

/**
 * What opens the commitments of one contribution of this site, also when its vector was erased: the salt and what it hides stay sealed in the journal. Found by
 * trying: a commitment fits one salt and no other.
 * @param journal opened with the keys of the site
 * @returns undefined for a confirmation of a key, whose salt is never kept, and for what an older agent has sent
 */
export function findOpenings(
  { rounds }: Pick<Journal, 'rounds'>,
  contribution: Predicate<'contribution'>,
): Record<CommittedFact, CommitmentOpening> | undefined {
  for (const { salt, facts } of rounds.saltedFacts()) {
    const openings = openingsOf(facts, salt);
    if (opens(contribution, openings.samples)) return openings;
  }
  return undefined;
}
