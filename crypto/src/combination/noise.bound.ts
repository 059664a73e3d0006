import type { CommitteeConstants, DecodingSet } from '../committee/committee.constants.js';
import { MAX_ERROR } from '../sampling/error.sampler.js';
import { maxSmudging } from '../sampling/smudging.sampler.js';

/**
 * Twice the largest distance of x from (q/t)·(L1·L2·m mod t) that honest parties can cause when decoding with D:
 * encryption errors, smudging, and truncation with the rounding of the message scaling. Doubled so that it stays an integer.
 */
export function doubledNoise(
  committee: CommitteeConstants,
  decoding: DecodingSet,
  numbers: { addends: number; smudgingBits: number; droppedBits: number },
): bigint {
  const perAddend = committee.L1 * decoding.scale * BigInt(numbers.addends);
  return (
    2n * BigInt(MAX_ERROR) * perAddend +
    2n * decoding.weightSum * maxSmudging(numbers.smudgingBits) +
    perAddend * (1n + (1n << BigInt(numbers.droppedBits)))
  );
}
