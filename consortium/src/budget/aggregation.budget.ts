import {
  committeeConstants,
  doubledNoise,
  parameterSet,
  type AggregationParameters,
  type CommitteeConstants,
  type ParameterSet,
  type ParameterSetName,
} from '@coferment/crypto';
import { ConsortiumBudgetError, requireWhole } from './budget.error.js';
import { choosePacking } from './packing.choice.js';
import { MAX_SITES } from './quorum.numbers.js';

export const MAX_KAPPA = 80;
export const MIN_KAPPA = 64;
/**
 * The largest κ must leave 3 bits between the worst noise and the decoding limit q/2t when no ciphertext bit is dropped.
 * The budget below compares twice the noise with that limit, so one of the three is in it already.
 */
const SPARE_BITS = 3n;
const SPARE_BESIDE_DOUBLING = SPARE_BITS - 1n;

export interface AggregationChoice {
  sites: number;
  keyHolders: number;
  threshold: number;
  valueBits?: number | 'auto';
  set?: ParameterSetName;
}

/** b: the smallest integer with 10·(4^b − 1) ≥ 3·106·n·(2^κ·max|L1·λ0|)², in integers. */
export function smudgingBits(sites: number, kappa: number, committee: CommitteeConstants): number {
  const drown = committee.maxDrown << BigInt(kappa);
  const needed = 3n * 106n * BigInt(sites) * drown * drown;
  let bits = 1;
  while (10n * ((1n << BigInt(2 * bits)) - 1n) < needed) bits++;
  return bits;
}

export interface NoiseChoice {
  sites: number;
  smudgingBits: number;
  droppedBits: number;
  shareDroppedBits: number;
}

/** d': the low bits of a share that do not travel; its noise is 64 times as large as what they can be. */
export function shareDrop(bits: number): number {
  return bits - 6;
}

/** 2t·(doubled noise) for the worst τ-subset; decoding is exact for every subset when this is below q. */
export function worstNoise(committee: CommitteeConstants, set: ParameterSet, choice: NoiseChoice): bigint {
  const { sites: addends, smudgingBits: bits, droppedBits, shareDroppedBits } = choice;
  const numbers = { addends, smudgingBits: bits, droppedBits, shareDroppedBits };
  let worst = 0n;
  for (const decoding of committee.decodingSets) {
    const noise = doubledNoise(committee, decoding, numbers);
    if (noise > worst) worst = noise;
  }
  return 2n * set.plainModulus * worst;
}

/** The largest number of low bits a ciphertext coefficient may drop, for the worst subset; undefined when not even 0 fits. */
export function largestDrop(committee: CommitteeConstants, set: ParameterSet, sites: number, bits: number): number | undefined {
  let dropped: number | undefined;
  const fits = (candidate: number): boolean =>
    worstNoise(committee, set, { sites, smudgingBits: bits, droppedBits: candidate, shareDroppedBits: shareDrop(bits) }) < set.modulus;
  while (fits((dropped ?? -1) + 1)) dropped = (dropped ?? -1) + 1;
  return dropped;
}

/** The largest κ from 80 down to 64 that leaves 3 bits with nothing dropped. */
function chooseKappa(committee: CommitteeConstants, set: ParameterSet, sites: number): number {
  for (let kappa = MAX_KAPPA; kappa >= MIN_KAPPA; kappa--) {
    const bits = smudgingBits(sites, kappa, committee);
    if (
      worstNoise(committee, set, { sites, smudgingBits: bits, droppedBits: 0, shareDroppedBits: shareDrop(bits) }) <<
        SPARE_BESIDE_DOUBLING <
      set.modulus
    )
      return kappa;
  }
  const bits = smudgingBits(sites, MIN_KAPPA, committee);
  const noise = worstNoise(committee, set, { sites, smudgingBits: bits, droppedBits: 0, shareDroppedBits: shareDrop(bits) });
  throw new ConsortiumBudgetError(
    'noise-does-not-fit',
    `${sites} sites with ${committee.threshold} of ${committee.keyHolders} key holders: at κ = ${MIN_KAPPA} the noise of ${bits}-bit smudging takes ` +
      `${noise.toString(2).length} of ${set.modulus.toString(2).length} bits of q and must leave ${SPARE_BESIDE_DOUBLING}. Use fewer key holders.`,
  );
}

/**
 * All numbers of a consortium's sums, by exact integer arithmetic (no floating point decides anything here).
 * Throws ConsortiumBudgetError with the numbers when packing or noise does not fit, CryptoError 'bad-committee' for an impossible committee.
 */
export function planAggregation(choice: AggregationChoice): AggregationParameters {
  const { sites, keyHolders, threshold, valueBits = 'auto', set: name = 'STANDARD' } = choice;
  requireWhole('The number of sites', sites, 1, MAX_SITES);
  const set = parameterSet(name);
  const committee = committeeConstants(keyHolders, threshold);
  requireWhole('The number of key holders', keyHolders, 2, sites);
  const packing = choosePacking(sites, valueBits, set.plainModulus);
  const kappa = chooseKappa(committee, set, sites);
  const bits = smudgingBits(sites, kappa, committee);
  const droppedBits = largestDrop(committee, set, sites, bits) ?? 0;
  const keptBits = set.modulus.toString(2).length - droppedBits;
  return {
    set: name,
    sites,
    keyHolders,
    threshold,
    kappa,
    smudgingBits: bits,
    droppedBits,
    keptBits,
    shareDroppedBits: shareDrop(bits),
    ...packing,
  };
}

/** Refuses parameters from elsewhere that are not exactly what {@link planAggregation} gives: one bit more dropped decodes wrongly for some subset. */
export function requirePlannedAggregation(parameters: AggregationParameters, valueBits: number | 'auto' = 'auto'): void {
  const { sites, keyHolders, threshold, set } = parameters;
  const planned = planAggregation({ sites, keyHolders, threshold, set, valueBits });
  for (const name of Object.keys(planned) as (keyof AggregationParameters)[]) {
    if (parameters[name] !== planned[name]) {
      throw new ConsortiumBudgetError(
        'noise-does-not-fit',
        `${name} is ${parameters[name]}; the budget of this committee gives ${planned[name]}.`,
      );
    }
  }
}
