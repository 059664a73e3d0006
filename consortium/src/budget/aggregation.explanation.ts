import {
  blockCount,
  ciphertextBytes,
  coefficientCount,
  committeeConstants,
  parameterSet,
  shareBytes,
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
  kappa: number;
  smudgingBits: number;
  keptBits: number;
  droppedBits: number;
  digitsPerCoefficient: number;
  valueBits: number;
  L1: bigint;
  worstL2: bigint;
  /** Packed values in one block. */
  valuesPerBlock: number;
  /** Uploaded bytes per packed value of this vector, its exact integers included. */
  bytesPerParameter: number;
  blocksPerSum: number;
  uploadBytesPerSum: number;
  shareBytesPerSum: number;
  blocksPerEpoch: number;
  /** log2 of the advantage in telling real decryption shares from simulated ones over the epoch (an estimate, not a proof). */
  distinguishingAdvantageLog2: number;
  distinguishingAdvantage: number;
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
  const { keyHolders, threshold, kappa, keptBits, droppedBits, digitsPerCoefficient, valueBits } = parameters;
  const { L1, worstL2 } = committeeConstants(keyHolders, threshold);
  const released = coefficients * sums * (keyHolders - threshold + 1) * 0.13;
  const distinguishingAdvantageLog2 = 0.5 + Math.log2(released) / 2 - kappa;
  const uploadBytesPerSum = ciphertextBytes(coefficients, parameters);
  return {
    kappa,
    smudgingBits: parameters.smudgingBits,
    keptBits,
    droppedBits,
    digitsPerCoefficient,
    valueBits,
    L1,
    worstL2,
    valuesPerBlock: degree * digitsPerCoefficient,
    bytesPerParameter: uploadBytesPerSum / shape.packed,
    blocksPerSum,
    uploadBytesPerSum,
    shareBytesPerSum: shareBytes(coefficients, parameters),
    blocksPerEpoch,
    distinguishingAdvantageLog2,
    distinguishingAdvantage: 2 ** distinguishingAdvantageLog2,
  };
}
