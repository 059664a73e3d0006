import type { CommitteeConstants, DecodingSet } from '../committee/committee.constants.js';
import { CryptoError } from '../crypto.error.js';
import { blockSizes } from '../packing/block.layout.js';
import { resolveParameters } from '../ring/aggregation.parameters.js';
import { isWithin } from '../ring/crt.composition.js';
import type { AggregationParameters, ParameterSet } from '../ring/parameter.set.js';
import { addScaledElement, scalar, scaleElement, zeroElement, type RingElement } from '../ring/ring.element.js';
import { sealEngine } from '../ring/seal.engine.js';
import { inverse, multiplier, scaleWords } from '../ring/word.arithmetic.js';
import { shareElements } from '../shares/decryption.share.js';
import { sumCiphertexts, type CiphertextSum } from './ciphertext.sum.js';
import { doubledNoise } from './noise.bound.js';
import { checkParity, type ReceivedShares } from './parity.check.js';

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
 * R7: parity relations over all shares, then x_b = L1·L2·Σc + Σ (L2·λ_j)·h_j with the first τ of them, SEAL's rounding of t·x/q,
 * and (L1·L2)^-1 mod t. The result is the exact Σ m modulo t, `coefficients` words.
 * Names hold as long as at most half of the shares beyond τ are wrong: more liars that aim at one result can frame an honest holder.
 * Throws 'malformed' (a share of wrong length or range: the message names its position), 'bad-committee', 'out-of-range' (fewer than τ
 * shares, or a sum of other numbers of addends or coefficients).
 */
export function combine({ parameters, sum, coefficients, addends, shares }: CombineInput): Combination {
  const { set, committee } = resolveParameters(parameters);
  const total = 'blocks' in sum ? sum : sumCiphertexts(sum, coefficients, parameters);
  if (total.addends !== addends) throw new CryptoError('out-of-range', `The sum has ${total.addends} addends, not ${addends}.`);
  if (total.coefficients !== coefficients)
    throw new CryptoError('out-of-range', `The sum has ${total.coefficients} coefficients, not ${coefficients}.`);
  const received = receive(shares, coefficients, parameters, committee);
  const sizes = blockSizes(coefficients, set);
  const context: DecodeContext = { committee, set, parameters, addends, sizes };
  const verdict = checkParity({
    set,
    points: committee.points,
    threshold: committee.threshold,
    smudgingBits: parameters.smudgingBits,
    sizes,
    shares: received,
  });
  if (verdict.consistent) {
    const opened = decode(total, received, context);
    return opened === undefined ? { ok: false, reason: 'residual' } : { ok: true, coefficients: opened };
  }
  if (verdict.suspects === undefined) return { ok: false, reason: 'parity' };
  // Liars that agree with each other are a consistent set too and would put the blame on an honest holder: it must also decode.
  const { suspects } = verdict;
  const trusted = new Map([...received].filter(([position]) => !suspects.includes(position)));
  return { ok: false, reason: 'parity', ...(decode(total, trusted, context) === undefined ? {} : { wrong: suspects }) };
}

/** Σ m of all blocks with the first complete decoding set, or undefined when some residual is larger than honest noise. */
function decode(total: CiphertextSum, received: ReceivedShares, context: DecodeContext): BigUint64Array | undefined {
  const { degree } = context.set;
  const decoding = firstDecodingSet(received, context.committee);
  const coefficients = new BigUint64Array(total.coefficients);
  for (const [block, blockSum] of total.blocks.entries()) {
    const shareBlocks = decoding.holders.map((holder) => received.get(holder)![block]!);
    const message = decodeBlock(blockSum, shareBlocks, context.sizes[block]!, decoding, context);
    if (message === undefined) return undefined;
    coefficients.set(message, block * degree);
  }
  return coefficients;
}

function receive(
  shares: ReadonlyMap<number, Uint8Array>,
  coefficients: number,
  parameters: AggregationParameters,
  committee: CommitteeConstants,
): ReceivedShares {
  if (shares.size < committee.threshold) {
    throw new CryptoError('out-of-range', `${shares.size} shares cannot open a sum: ${committee.threshold} are needed.`);
  }
  const received = new Map<number, RingElement[]>();
  for (const [position, share] of shares) {
    if (committee.points[position] === undefined) {
      throw new CryptoError('bad-committee', `There is no key holder at position ${position} of ${committee.keyHolders}.`);
    }
    received.set(position, shareElements(share, coefficients, parameters, `The share of the holder at position ${position}`));
  }
  return received;
}

function firstDecodingSet(received: ReceivedShares, committee: CommitteeConstants): DecodingSet {
  const found = committee.decodingSets.find(({ holders }) => holders.every((holder) => received.has(holder)));
  if (found === undefined) throw new CryptoError('out-of-range', 'No decoding set is complete.');
  return found;
}

interface DecodeContext {
  committee: CommitteeConstants;
  set: ParameterSet;
  parameters: AggregationParameters;
  addends: number;
  /** Coefficients in use in each block. */
  sizes: readonly number[];
}

/** Σ m of the coefficients in use of one block, or undefined when the residual is larger than honest noise. */
function decodeBlock(
  blockSum: RingElement,
  shareBlocks: readonly RingElement[],
  used: number,
  decoding: DecodingSet,
  { committee, set, parameters, addends }: DecodeContext,
): BigUint64Array | undefined {
  const engine = sealEngine(set.name);
  const scale = committee.L1 * decoding.scale;
  const x = zeroElement(set);
  addScaledElement(x, blockSum, scalar(scale, set), set);
  shareBlocks.forEach((share, index) => addScaledElement(x, share, scalar(decoding.weights[index]!, set), set));
  const message = engine.roundToMessage(x);
  // −x + ⌈q·m′/t⌋ is minus the residual, up to a rounding of at most one.
  scaleElement(x, scalar(-1n, set), set);
  const residual = engine.addScaledMessage(x, message);
  const { smudgingBits, droppedBits } = parameters;
  const bound = doubledNoise(committee, decoding, { addends, smudgingBits, droppedBits }) / 2n + 1n;
  // A bound of q/2 or more would accept everything: such parameters are no committee's.
  if (2n * bound * set.plainModulus >= set.modulus) {
    throw new CryptoError('bad-parameters', `The noise bound ${bound} leaves no room in q: these parameters cannot decode.`);
  }
  if (!isWithin(residual, bound, set, used)) return undefined;
  scaleWords(message, 0, used, multiplier(inverse(scale, set.plainModulus), set.plainModulus));
  return message.subarray(0, used);
}
