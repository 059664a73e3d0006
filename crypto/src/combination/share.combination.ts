import { CryptoError } from '../crypto.error.js';
import { blockSizes } from '../packing/block.layout.js';
import { resolveParameters } from '../ring/aggregation.parameters.js';
import type { AggregationParameters } from '../ring/parameter.set.js';
import { shareBlocks } from '../shares/decryption.share.js';
import { openBlock, requireHolders } from './block.opening.js';
import { sumCiphertexts, type CiphertextSum } from './ciphertext.sum.js';
import { judgeParity } from './parity.check.js';

export interface CombineInput {
  parameters: AggregationParameters;
  /** The sum of the uploads of A, or the uploads themselves. */
  sum: CiphertextSum | readonly Uint8Array[];
  /** Coefficients in use: the length of the vectors that were encrypted. */
  coefficients: number;
  /** |A| */
  addends: number;
  /** Holder position (from 0) → its share of all blocks. */
  shares: ReadonlyMap<number, Uint8Array>;
}

/**
 * 'parity': a share is wrong, and `wrong` names the holders once enough shares have arrived.
 * 'residual': the decoded sum is not where honest parties would put it; some share or upload is wrong and nothing may be applied.
 */
export type Combination = { ok: true; coefficients: BigUint64Array } | { ok: false; reason: 'parity' | 'residual'; wrong?: number[] };

/**
 * R7: parity relations over all shares, then x_b = L1·L2·Σc + Σ (L2·λ_j)·h_j with τ of them, the rounding of t·x/q,
 * and (L1·L2)^-1 mod t. The result is the exact Σ m modulo t, `coefficients` words.
 * Names hold as long as at most half of the shares beyond τ, rounded up, are wrong: more liars that aim at one result can frame an honest holder.
 * Throws 'malformed' (a share of wrong length or range: the message names its position), 'bad-committee', 'out-of-range' (fewer than τ
 * shares, or a sum of other numbers of addends or coefficients).
 */
export function combine({ parameters, sum, coefficients, addends, shares }: CombineInput): Combination {
  const { set, committee } = resolveParameters(parameters);
  const total = 'blocks' in sum ? sum : sumCiphertexts(sum, coefficients, parameters);
  if (total.addends !== addends) throw new CryptoError('out-of-range', `The sum has ${total.addends} addends, not ${addends}.`);
  if (total.coefficients !== coefficients)
    throw new CryptoError('out-of-range', `The sum has ${total.coefficients} coefficients, not ${coefficients}.`);
  requireHolders([...shares.keys()], committee);
  const sizes = blockSizes(coefficients, set);
  const received = new Map<number, Uint8Array[]>();
  for (const [position, share] of shares) {
    received.set(position, shareBlocks(share, coefficients, parameters, `The share of the holder at position ${position}`));
  }
  const open = (holders: readonly number[]): Opened => {
    const opened: Opened = { coefficients: new BigUint64Array(coefficients), complete: true, failedRelations: [] };
    for (const [block, used] of sizes.entries()) {
      const blockShares = new Map(holders.map((holder) => [holder, received.get(holder)![block]!]));
      const found = openBlock({ parameters, used, addends, total: total.blocks[block]!, shares: blockShares });
      opened.failedRelations.push(...found.failedRelations);
      if (found.coefficients === undefined) opened.complete = false;
      else opened.coefficients.set(found.coefficients, block * set.degree);
    }
    return opened;
  };
  const holders = [...shares.keys()];
  const opened = open(holders);
  const verdict = judgeParity({ parameters, holders, failedRelations: opened.failedRelations });
  if (verdict.consistent) return opened.complete ? { ok: true, coefficients: opened.coefficients } : { ok: false, reason: 'residual' };
  const { suspects } = verdict;
  if (suspects === undefined) return { ok: false, reason: 'parity' };
  // Liars that agree with each other are a consistent set too and would put the blame on an honest holder: it must also decode.
  const trusted = open(holders.filter((holder) => !suspects.includes(holder)));
  return { ok: false, reason: 'parity', ...(trusted.complete ? { wrong: suspects } : {}) };
}

interface Opened {
  coefficients: BigUint64Array;
  /** Every block opened. */
  complete: boolean;
  failedRelations: number[][];
}
