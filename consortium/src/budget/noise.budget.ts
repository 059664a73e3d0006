import { doubledNoise, type AggregationParameters, type CommitteeConstants, type ParameterSet } from '@coferment/crypto';

export const MAX_KAPPA = 80;
export const MIN_KAPPA = 64;
/**
 * The largest κ must leave 3 bits between the worst noise and the decoding limit q/2t when no ciphertext bit is dropped.
 * The budget below compares twice the noise with that limit, so one of the three is in it already.
 */
const SPARE_BITS = 3;
const SPARE_BESIDE_DOUBLING = SPARE_BITS - 1;
/**
 * Bits by which a share's truncation stays below its smudging, at least: the parity bound Σ|μ|·(2^(b+1) − 2 + 2^(d'−1)) then grows by less than one
 * part in 2^8, so truncation hides no wrong share that smudging would not hide. The budget alone would let d' go beyond b.
 */
const BELOW_SMUDGING = 6;

/** Numbers that the noise of an opened sum follows from. */
export type NoiseChoice = Pick<AggregationParameters, 'sites' | 'smudgingBits' | 'droppedBits' | 'shareDroppedBits'>;

/** b: the smallest integer with 10·(4^b − 1) ≥ 3·106·n·(2^κ·max|L1·λ0|)², in integers. */
export function smudgingBits(sites: number, kappa: number, committee: CommitteeConstants): number {
  const drown = committee.maxDrown << BigInt(kappa);
  const needed = 3n * 106n * BigInt(sites) * drown * drown;
  let bits = 1;
  while (10n * ((1n << BigInt(2 * bits)) - 1n) < needed) bits++;
  return bits;
}

/** 2t·(doubled noise) for the worst τ-subset; decoding is exact for every subset when this is below q. */
export function worstNoise(committee: CommitteeConstants, set: ParameterSet, { sites: addends, ...bits }: NoiseChoice): bigint {
  let worst = 0n;
  for (const decoding of committee.decodingSets) {
    const noise = doubledNoise(committee, decoding, { addends, ...bits });
    if (noise > worst) worst = noise;
  }
  return 2n * set.plainModulus * worst;
}

/** With nothing dropped, and four times over: κ is taken while this is below q. */
export function noiseBeforeDropping(committee: CommitteeConstants, set: ParameterSet, sites: number, kappa: number): bigint {
  const choice = { sites, smudgingBits: smudgingBits(sites, kappa, committee), droppedBits: 0, shareDroppedBits: 0 };
  return worstNoise(committee, set, choice) << BigInt(SPARE_BESIDE_DOUBLING);
}

/** The largest κ from 80 down to 64 that leaves 3 bits with nothing dropped; undefined when 64 is too much. */
export function largestKappa(committee: CommitteeConstants, set: ParameterSet, sites: number): number | undefined {
  for (let kappa = MAX_KAPPA; kappa >= MIN_KAPPA; kappa--) {
    if (noiseBeforeDropping(committee, set, sites, kappa) < set.modulus) return kappa;
  }
  return undefined;
}

/** d: the most low bits that a ciphertext coefficient may drop, for the worst subset; undefined when not even none fit. */
export function largestDrop(committee: CommitteeConstants, set: ParameterSet, sites: number, bits: number): number | undefined {
  const fits = (droppedBits: number): boolean =>
    worstNoise(committee, set, { sites, smudgingBits: bits, droppedBits, shareDroppedBits: 0 }) < set.modulus;
  let dropped = -1;
  while (fits(dropped + 1)) dropped++;
  return dropped < 0 ? undefined : dropped;
}

/**
 * d': the most low bits that a share coefficient may drop beside d, at least 6 fewer than b. A share never costs the uploads a bit: there are as many
 * uploads as sites, and what is left of the budget beside d is nearly always enough.
 */
export function largestShareDrop(committee: CommitteeConstants, set: ParameterSet, beside: Omit<NoiseChoice, 'shareDroppedBits'>): number {
  let dropped = Math.max(0, beside.smudgingBits - BELOW_SMUDGING);
  while (dropped > 0 && worstNoise(committee, set, { ...beside, shareDroppedBits: dropped }) >= set.modulus) dropped--;
  return dropped;
}
