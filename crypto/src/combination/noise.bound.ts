import type { CommitteeConstants, DecodingSet } from '../committee/committee.constants.js';
import { MAX_ERROR } from '../sampling/error.sampler.js';
import { maxSmudging } from '../sampling/smudging.sampler.js';

export interface NoiseNumbers {
  addends: number;
  smudgingBits: number;
  droppedBits: number;
  shareDroppedBits: number;
}

/**
 * Twice what one share can be off: its smudging, and half a step of truncation, since the receiver takes the middle of the 2^d' values
 * that a truncated one stands for.
 */
export function doubledShareNoise({ smudgingBits, shareDroppedBits }: Pick<NoiseNumbers, 'smudgingBits' | 'shareDroppedBits'>): bigint {
  return 2n * maxSmudging(smudgingBits) + (shareDroppedBits === 0 ? 0n : 1n << BigInt(shareDroppedBits));
}

/**
 * Twice the largest distance of x from (q/t)·(L1·L2·m mod t) that honest parties can cause when decoding with D:
 * encryption errors, noise and truncation of shares, truncation of uploads with the rounding of the message scaling. Doubled so that it stays an integer.
 */
export function doubledNoise(committee: CommitteeConstants, decoding: DecodingSet, numbers: NoiseNumbers): bigint {
  const perAddend = committee.L1 * decoding.scale * BigInt(numbers.addends);
  return (
    2n * BigInt(MAX_ERROR) * perAddend +
    decoding.weightSum * doubledShareNoise(numbers) +
    perAddend * (1n + (1n << BigInt(numbers.droppedBits)))
  );
}
