import { committeeConstants, parameterSet, type AggregationParameters, type ParameterSetName } from '@coferment/crypto';
import { ConsortiumBudgetError, requireWhole } from './budget.error.js';
import { largestDrop, largestKappa, largestShareDrop, MIN_KAPPA, noiseBeforeDropping, smudgingBits, worstNoise } from './noise.budget.js';
import { choosePacking } from './packing.choice.js';
import { MAX_SITES } from './quorum.numbers.js';

export interface AggregationChoice {
  sites: number;
  keyHolders: number;
  threshold: number;
  valueBits?: number | 'auto';
  set?: ParameterSetName;
}

const bitLength = (value: bigint): number => value.toString(2).length;

/**
 * All numbers of a consortium's sums, by exact integer arithmetic (no floating point decides anything here). In this order: packing, κ and from it b, then d,
 * which every site pays for, then d', which only key holders pay for.
 * Throws ConsortiumBudgetError with the numbers when packing or noise does not fit, CryptoError 'bad-committee' for an impossible committee.
 */
export function planAggregation(choice: AggregationChoice): AggregationParameters {
  const { sites, keyHolders, threshold, valueBits = 'auto', set: name = 'STANDARD' } = choice;
  requireWhole('The number of sites', sites, 1, MAX_SITES);
  const set = parameterSet(name);
  const committee = committeeConstants(keyHolders, threshold);
  requireWhole('The number of key holders', keyHolders, 2, sites);
  const packing = choosePacking(sites, valueBits, set.plainModulus);
  const kappa = largestKappa(committee, set, sites);
  if (kappa === undefined) {
    const noise = noiseBeforeDropping(committee, set, sites, MIN_KAPPA);
    throw new ConsortiumBudgetError(
      'noise-does-not-fit',
      `${sites} sites with ${threshold} of ${keyHolders} key holders do not fit ${name}: at κ = ${MIN_KAPPA}, the least that is accepted, and with nothing dropped, ` +
        `2t·(doubled noise)·2^2 takes ${bitLength(noise)} bits and must be below q, which has ${bitLength(set.modulus)} ` +
        `(${bitLength(noise / set.modulus)} too many): ${noise} ≥ ${set.modulus}. Use fewer key holders, or another threshold.`,
    );
  }
  const bits = smudgingBits(sites, kappa, committee);
  // κ leaves room with nothing dropped, so there is always a d.
  const droppedBits = largestDrop(committee, set, sites, bits)!;
  const shareDroppedBits = largestShareDrop(committee, set, { sites, smudgingBits: bits, droppedBits });
  const keptBits = bitLength(set.modulus) - droppedBits;
  return { set: name, sites, keyHolders, threshold, kappa, smudgingBits: bits, droppedBits, keptBits, shareDroppedBits, ...packing };
}

/**
 * Refuses parameters from elsewhere that are not exactly what {@link planAggregation} gives. Too much noise is told as the inequality that fails:
 * one bit more dropped decodes wrongly for some subset.
 */
export function requirePlannedAggregation(parameters: AggregationParameters, valueBits: number | 'auto' = 'auto'): void {
  const { sites, keyHolders, threshold, set: name } = parameters;
  const planned = planAggregation({ sites, keyHolders, threshold, set: name, valueBits });
  const set = parameterSet(name);
  for (const key of Object.keys(planned) as (keyof AggregationParameters)[]) {
    if (parameters[key] === planned[key]) continue;
    const noise = isNoiseChoice(parameters) ? worstNoise(committeeConstants(keyHolders, threshold), set, parameters) : 0n;
    const inequality =
      noise < set.modulus
        ? ''
        : ` With it 2t·(doubled noise) = ${noise} for the worst set of key holders, and must be below q = ${set.modulus}.`;
    throw new ConsortiumBudgetError(
      'noise-does-not-fit',
      `${key} is ${parameters[key]}; the budget of this committee gives ${planned[key]}.${inequality}`,
    );
  }
}

/** Numbers that size integers here: the parameters may come from anywhere. */
function isNoiseChoice({ smudgingBits: b, droppedBits, shareDroppedBits }: AggregationParameters): boolean {
  return [b, droppedBits, shareDroppedBits].every((bits) => Number.isSafeInteger(bits) && bits >= 0 && bits <= 180);
}
