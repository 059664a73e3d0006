import { committeeConstants, parameterSet, type AggregationParameters } from '@coferment/crypto';
import { MAX_KAPPA, noiseBeforeDropping, worstNoise } from './noise.budget.js';
import { packedMaximum } from './packing.choice.js';

/** Why a number of the plan is what it is: an inequality with both sides, and what the next larger number would make of it. */
export interface BudgetStep {
  name: 'valueBits' | 'kappa' | 'droppedBits' | 'shareDroppedBits';
  value: number;
  /** In the symbols of the design: uses < limit. */
  rule: string;
  /** log2 of the left side, for people; what decides are the integers. */
  uses: number;
  /** log2 of the right side. */
  limit: number;
  /** log2 of the left side for one more; null where it would fit and something else forbids it. */
  oneMore: number | null;
  /** What forbids one more. */
  because: string;
}

const MANTISSA = 52;

/** log2 of a positive integer of any size. */
export function log2(value: bigint): number {
  const shift = Math.max(0, value.toString(2).length - MANTISSA);
  return Math.log2(Number(value >> BigInt(shift))) + shift;
}

/** The choices behind planned parameters, in the order in which they were made. @param asked value bits that the plan names */
export function budgetSteps(parameters: AggregationParameters, asked: number | 'auto' = 'auto'): BudgetStep[] {
  const { sites, keyHolders, threshold, kappa, smudgingBits, droppedBits, shareDroppedBits, valueBits, digitBits } = parameters;
  const set = parameterSet(parameters.set);
  const committee = committeeConstants(keyHolders, threshold);
  const q = log2(set.modulus);
  const noise = (d: number, ofShare: number): bigint =>
    worstNoise(committee, set, { sites, smudgingBits, droppedBits: d, shareDroppedBits: ofShare });
  const step = (
    name: BudgetStep['name'],
    rule: string,
    [uses, next, limit]: readonly [uses: bigint, next: bigint, limit: bigint],
    otherwise: string,
  ): BudgetStep => {
    const tooMuch = next >= limit;
    return {
      name,
      value: parameters[name],
      rule,
      uses: log2(uses),
      limit: log2(limit),
      oneMore: tooMuch ? log2(next) : null,
      because: tooMuch ? `${parameters[name] + 1} takes ${log2(next).toFixed(2)} of ${log2(limit).toFixed(2)} bits` : otherwise,
    };
  };
  const digit = (bits: number): bigint => BigInt(sites) * ((1n << BigInt(bits)) - 1n);
  // Full digits bind first: the sum of wider values would carry into the digit above.
  const digitsBind = digit(valueBits + 1) >= 1n << BigInt(digitBits);
  const fits = digitsBind
    ? step('valueBits', `n·(2^v − 1) < 2^w, w = ${digitBits}`, [digit(valueBits), digit(valueBits + 1), 1n << BigInt(digitBits)], '')
    : step(
        'valueBits',
        'n·(2^v − 1)·Σ 2^(w·i) < t',
        [packedMaximum(parameters, sites), packedMaximum({ ...parameters, valueBits: valueBits + 1 }, sites), set.plainModulus],
        '',
      );
  const packing = asked === 'auto' ? fits : { ...fits, oneMore: null, because: 'the plan asks for so many' };
  return [
    packing,
    step(
      'kappa',
      '2t·(doubled noise)·2^2 < q with nothing dropped',
      [noiseBeforeDropping(committee, set, sites, kappa), noiseBeforeDropping(committee, set, sites, kappa + 1), set.modulus],
      `${MAX_KAPPA} is the most that is ever taken; q has ${q.toFixed(2)} bits`,
    ),
    step(
      'droppedBits',
      '2t·(doubled noise) < q for the worst set of key holders',
      [noise(droppedBits, 0), noise(droppedBits + 1, 0), set.modulus],
      '',
    ),
    step(
      'shareDroppedBits',
      '2t·(doubled noise) < q for the worst set of key holders, beside the bits that uploads drop',
      [noise(droppedBits, shareDroppedBits), noise(droppedBits, shareDroppedBits + 1), set.modulus],
      `truncation stays 2^${smudgingBits - shareDroppedBits} times below the smudging of ${smudgingBits} bits, so that it hides no wrong share`,
    ),
  ];
}
