import type { CommitteeConstants } from '../committee/committee.constants.js';
import { relationLattice } from '../committee/relation.lattice.js';
import { CryptoError } from '../crypto.error.js';
import { resolveParameters } from '../ring/aggregation.parameters.js';
import { COMPOSED_WORDS } from '../ring/crt.composition.js';
import { isReduced } from '../ring/composed.words.js';
import type { AggregationParameters } from '../ring/parameter.set.js';
import { shareLimbs } from '../shares/decryption.share.js';
import type { BlockTotal } from './ciphertext.sum.js';
import { openingSetsFor } from './decoding.choice.js';
import { combineBlock, roundBlock } from './message.rounding.js';
import { failedRelations } from './parity.relation.js';

export interface BlockOpeningInput {
  parameters: AggregationParameters;
  /** Coefficients in use in the block. */
  used: number;
  /** |A| */
  addends: number;
  total: BlockTotal;
  /** Holder position (from 0) → its share of the block. */
  shares: ReadonlyMap<number, Uint8Array>;
}

export interface OpenedBlock {
  /** Σ m modulo t. Undefined when a relation fails, the residual is larger than honest noise, or two sets open differently: some share or upload is wrong. */
  coefficients: BigUint64Array | undefined;
  /** Parity relations that do not hold in this block, by the positions they are over. */
  failedRelations: number[][];
}

/**
 * R7 for one block: every parity relation over the shares, and where they hold x = L1·L2·Σc + Σ (L2·λ_j)·h_j with τ of them, the rounding of
 * t·x/q, and (L1·L2)^-1 mod t. Which τ depends on whose shares there are and not on the block; with more than τ shares several sets open it, so that each share
 * is left out at least once and no wrong one passes unseen, and all must give the same.
 * What one block says is no verdict: the failed relations of all of them are {@link judgeParity}'s.
 * Throws 'malformed' (a share of wrong length or range: the message names its position), 'bad-committee', 'out-of-range' (fewer than τ
 * shares, a wrong number of addends, or a total that is not one of `used` coefficients).
 */
export function openBlock({ parameters, used, addends, total, shares }: BlockOpeningInput): OpenedBlock {
  const { set, committee } = resolveParameters(parameters);
  if (!Number.isSafeInteger(addends) || addends < 1 || addends > parameters.sites)
    throw new CryptoError('out-of-range', `A sum has 1 to ${parameters.sites} addends, not ${addends}.`);
  if (total.length !== used * COMPOSED_WORDS || !isReduced(total, set))
    throw new CryptoError('out-of-range', `The total of a block is not ${used} coefficients below q.`);
  requireHolders([...shares.keys()], committee);
  const limbs = new Map(
    [...shares].map(([position, bytes]) => [
      position,
      shareLimbs(bytes, used, parameters, `The share of the holder at position ${position}`),
    ]),
  );
  const lattice = relationLattice(committee.points, [...shares.keys()], committee.threshold);
  const { smudgingBits, shareDroppedBits } = parameters;
  const failed = failedRelations({ set, used, smudgingBits, shareDroppedBits, limbs }, lattice);
  if (failed.length > 0) return { coefficients: undefined, failedRelations: failed };
  let coefficients: BigUint64Array | undefined;
  for (const decodingSet of openingSetsFor([...shares.keys()], committee, parameters, set)) {
    const decoding = { set, committee, parameters, addends, decodingSet };
    const opened = roundBlock(combineBlock(total, limbs, decoding), decoding);
    const differs = coefficients?.some((coefficient, index) => coefficient !== opened?.[index]) ?? false;
    if (opened === undefined || differs) return { coefficients: undefined, failedRelations: failed };
    coefficients = opened;
  }
  return { coefficients, failedRelations: failed };
}

/** 'bad-committee' for a position without a holder, 'out-of-range' for fewer than τ. */
export function requireHolders(positions: readonly number[], committee: CommitteeConstants): void {
  if (positions.length < committee.threshold) {
    throw new CryptoError('out-of-range', `${positions.length} shares cannot open a sum: ${committee.threshold} are needed.`);
  }
  for (const position of positions) {
    if (committee.points[position] === undefined) {
      throw new CryptoError('bad-committee', `There is no key holder at position ${position} of ${committee.keyHolders}.`);
    }
  }
}
