import { CryptoError } from '../crypto.error.js';
import { forEachProduct } from '../encryption/public.product.js';
import { digestsOf, requireRoundContext } from '../encryption/vector.encryption.js';
import { xof } from '../hashing/stream.xof.js';
import { packPlanes, planarBytes, unpackPlanes } from '../packing/bit.planes.js';
import { blockRange, blockSizes, blockSpan, type BlockRange, type BlockSpan, splitBytes } from '../packing/block.layout.js';
import { checkedPlanes } from '../packing/block.check.js';
import { PlanarRange } from '../packing/planar.range.js';
import { largestTruncated } from '../packing/residue.range.js';
import { parametersDigest, resolveParameters } from '../ring/aggregation.parameters.js';
import { composeLimbs, COMPOSED_WORDS, truncatedLimbs } from '../ring/crt.composition.js';
import { MODULUS_BITS } from '../ring/composed.words.js';
import { clearLimbs, limbVectors, reduceLimbs, toWords } from '../ring/limb.vectors.js';
import { parameterSet, type AggregationParameters, type ParameterSetName } from '../ring/parameter.set.js';
import { addElement, bytesFromWords, elementBytes, elementFromBytes, scalar, scaleElement, zeroElement } from '../ring/ring.element.js';
import { sealEngine } from '../ring/seal.engine.js';
import { addSmudging, smudgingSums } from '../sampling/smudging.sampler.js';

/** Bits of a truncated coefficient of a share: ⌊h / 2^d'⌋ for h in [0, q). */
export function shareKeptBits({ shareDroppedBits }: AggregationParameters): number {
  return MODULUS_BITS - shareDroppedBits;
}

/** Bytes of a decryption share of so many coefficients, plane by plane in each block. */
export function shareBytes(coefficients: number, parameters: AggregationParameters): number {
  return shareBlockBytes(coefficients, parameters).reduce((sum, bytes) => sum + bytes, 0);
}

function shareBlockBytes(coefficients: number, parameters: AggregationParameters): number[] {
  const { set } = resolveParameters(parameters);
  return blockSizes(coefficients, set).map((used) => planarBytes(used, shareKeptBits(parameters)));
}

/** Where a block lies in a share of so many coefficients; 'out-of-range' for one that it does not have. */
export function shareBlockSpan(block: number, coefficients: number, parameters: AggregationParameters): BlockSpan {
  const { set } = resolveParameters(parameters);
  return blockSpan(block, coefficients, set, (used) => planarBytes(used, shareKeptBits(parameters)));
}

/** S_A(α_j) = Σ_{i∈A} S_i(α_j) of one holder; all shares must be of one parameter set. */
export function sumKeyShares(shares: readonly Uint8Array[]): Uint8Array {
  const first = shares[0];
  if (first === undefined) throw new CryptoError('out-of-range', 'A sum of no key shares has no meaning: the set A is empty.');
  const set = setOfElement(first);
  const sum = zeroElement(set);
  shares.forEach((share, index) => addElement(sum, elementFromBytes(share, set, `Key share ${index}`), set));
  const bytes = bytesFromWords(sum);
  sum.fill(0n);
  return bytes;
}

const NAMES: readonly ParameterSetName[] = ['STANDARD', 'INSECURE_TEST_1024'];

function setOfElement(bytes: Uint8Array) {
  const set = NAMES.map(parameterSet).find((candidate) => elementBytes(candidate) === bytes.length);
  if (set === undefined) throw new CryptoError('malformed', `A key share of ${bytes.length} bytes belongs to no parameter set.`);
  return set;
}

export interface DecryptionShareInput {
  parameters: AggregationParameters;
  /** Round context K, 64 hex characters. */
  k: string;
  /** H(A), 64 hex characters: the digest of the set whose keys are in keyShareSum. */
  setDigest: string;
  /** Kind of the sum, or 'open'. */
  kind: string;
  /** Site id of the holder. */
  holder: string;
  /** Position of the holder in the roster, from 0; its point is α of that position. */
  holderIndex: number;
  /** S_A(α_j) in NTT form. */
  keyShareSum: Uint8Array;
  /** k_j: 32 random bytes drawn per epoch. */
  noiseKey: Uint8Array;
  /** Coefficients in use; no other leaves the holder. */
  coefficients: number;
}

/**
 * R6 for the blocks from ≤ block < to: ⌊h_b / 2^d'⌋ with h_b = L1·a_b·S_A(α_j) + e_b in [0, q), the coefficients in use, concatenated. The d' low bits are
 * nothing but noise, and leaving them out of what was released anyway tells nobody more.
 *
 * e is a function of everything that determines the exact value and of nothing else. With less, two computations of different values
 * would share their noise and subtract it; with more, one value would come under many noises and average it out.
 *
 * So the number of coefficients stays out of it. Coefficient i of L1·a_b·S_A(α_j) is the same wherever the block is cut, and with noise that is drawn
 * coefficient after coefficient from one stream, shares of two lengths agree in all they have in common: the shorter one tells nothing that the longer
 * does not. Bound to the length, asking for N lengths would give N readings of coefficient 0 and take √N off its noise (6.5 bits of κ at N = 8192).
 */
export function decryptionShareBlocks(input: DecryptionShareInput & BlockRange): Uint8Array {
  const { parameters, k, setDigest, kind, holder, holderIndex, keyShareSum, noiseKey, coefficients } = input;
  const { set, committee } = resolveParameters(parameters);
  requireRoundContext(k);
  if (!/^[0-9a-f]{64}$/.test(setDigest))
    throw new CryptoError('malformed', `The set digest ${JSON.stringify(setDigest)} is not 64 hex characters.`);
  if (committee.points[holderIndex] === undefined) {
    throw new CryptoError('bad-committee', `There is no key holder at position ${holderIndex} of ${parameters.keyHolders}.`);
  }
  if (!(noiseKey instanceof Uint8Array) || noiseKey.length !== 32) throw new CryptoError('malformed', 'The noise key must be 32 bytes.');
  const blocks = blockRange(input, coefficients, set);
  const engine = sealEngine(set.name);
  const scaled = elementFromBytes(keyShareSum, set, 'The sum of key shares');
  scaleElement(scaled, scalar(committee.L1, set), set);
  const factor = engine.factor(scaled);
  scaled.fill(0n);
  const parametersHash = parametersDigest(parameters);
  const keptBits = shareKeptBits(parameters);
  const share = new Uint8Array(blocks.reduce((sum, { used }) => sum + planarBytes(used, keptBits), 0));
  const limbs = limbVectors(set.degree);
  const composed = new BigUint64Array(set.degree * COMPOSED_WORDS);
  let at = 0;
  try {
    forEachProduct({ engine, factor, k, blocks }, (product, { block, used }) => {
      composeLimbs(product, set, limbs, used);
      const stream = xof('smudging', noiseKey, kind, k, setDigest, parametersHash, [holder, holderIndex], block);
      const sums = smudgingSums(stream, parameters.smudgingBits, used);
      addSmudging(limbs, sums, parameters.smudgingBits, set);
      reduceLimbs(limbs, set, used);
      toWords(limbs, composed, used);
      const bytes = planarBytes(used, keptBits);
      packPlanes(truncatedLimbs(composed, used, parameters.shareDroppedBits, keptBits), used, keptBits, share.subarray(at, at + bytes));
      at += bytes;
      sums.fill(0n);
    });
  } finally {
    factor.free();
    clearLimbs(limbs);
    composed.fill(0n);
  }
  return share;
}

/** {@link decryptionShareBlocks} for all blocks. */
export function decryptionShare(input: DecryptionShareInput): Uint8Array {
  const { set } = resolveParameters(input.parameters);
  return decryptionShareBlocks({ ...input, from: 0, to: blockSizes(input.coefficients, set).length });
}

/**
 * The truncated coefficients of one block of a share, as 32-bit limbs; 'malformed' for a wrong length, a padding bit, or a
 * coefficient that no truncation gives.
 */
export function shareLimbs(block: Uint8Array, used: number, parameters: AggregationParameters, what: string): Uint32Array[] {
  const { set } = resolveParameters(parameters);
  const bits = shareKeptBits(parameters);
  checkedPlanes(block, { used, bits, range: new PlanarRange(largestTruncated(set, parameters.shareDroppedBits), bits) }, what);
  return unpackPlanes(block, used, bits, what);
}

/** The blocks of a share, as views; 'malformed' for another length than its coefficients take. */
export function shareBlocks(share: Uint8Array, coefficients: number, parameters: AggregationParameters, what: string): Uint8Array[] {
  return splitBytes(share, shareBlockBytes(coefficients, parameters), `${what} of ${coefficients} coefficients`);
}

/** SHA-256 of every block, the leaves of the share's Merkle tree; 'malformed' for another length than its coefficients take. */
export function shareBlockDigests(share: Uint8Array, coefficients: number, parameters: AggregationParameters): Uint8Array[] {
  return digestsOf(shareBlocks(share, coefficients, parameters, 'A share'));
}
