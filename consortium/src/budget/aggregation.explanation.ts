import {
  blockCount,
  ciphertextBytes,
  coefficientCount,
  parameterSet,
  type AggregationParameters,
  type VectorShape,
} from '@coferment/crypto';
import { ConsortiumBudgetError, requireWhole } from './budget.error.js';

/** Blocks one site may encrypt under one key, all purposes together. */
export const MAX_BLOCKS_PER_EPOCH = 2 ** 20;

export interface AggregationLoad {
  /** The vector of one sum; its packed values are the parameters of the model, at least one. */
  shape: VectorShape;
  /** Sums in the epoch. */
  sums: number;
}

export interface AggregationExplanation {
  /** Uploaded bytes per packed value of this vector, its exact integers included. */
  bytesPerParameter: number;
  blocksPerSum: number;
  blocksPerEpoch: number;
  /** log2 of the advantage in telling real decryption shares from simulated ones over the epoch (an estimate, not a proof). */
  distinguishingAdvantageLog2: number;
  /** The same for an epoch of 2^20 whole blocks, the most that any epoch may have. */
  mostDistinguishingAdvantageLog2: number;
}

/** √2·√(coefficients·(m−τ+1)·0.13)·2^−κ, as log2: each coefficient that is opened shows at most m−τ+1 honest shares beside τ−1 corrupt ones. */
function advantageLog2({ keyHolders, threshold, kappa }: AggregationParameters, coefficients: number): number {
  return 0.5 + Math.log2(coefficients * (keyHolders - threshold + 1) * 0.13) / 2 - kappa;
}

/** What the numbers mean for people, for `plan explain`. Throws when the epoch would exceed 2^20 blocks a site. */
export function explainAggregation(parameters: AggregationParameters, { shape, sums }: AggregationLoad): AggregationExplanation {
  requireWhole('packed values', shape.packed, 1, Number.MAX_SAFE_INTEGER);
  requireWhole('sums', sums, 1, MAX_BLOCKS_PER_EPOCH);
  const coefficients = coefficientCount(shape, parameters);
  const blocksPerSum = blockCount(shape, parameters);
  const blocksPerEpoch = blocksPerSum * sums;
  if (blocksPerEpoch > MAX_BLOCKS_PER_EPOCH) {
    throw new ConsortiumBudgetError(
      'invalid-number',
      `${blocksPerSum} blocks in each of ${sums} sums are ${blocksPerEpoch}; a site may encrypt ${MAX_BLOCKS_PER_EPOCH} under one key. Plan fewer rounds.`,
    );
  }
  const { degree } = parameterSet(parameters.set);
  return {
    bytesPerParameter: ciphertextBytes(coefficients, parameters) / shape.packed,
    blocksPerSum,
    blocksPerEpoch,
    distinguishingAdvantageLog2: advantageLog2(parameters, coefficients * sums),
    mostDistinguishingAdvantageLog2: advantageLog2(parameters, degree * MAX_BLOCKS_PER_EPOCH),
  };
}
