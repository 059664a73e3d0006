import { CryptoError } from '../crypto.error.js';
import { digestsOf, requireRoundContext } from '../encryption/vector.encryption.js';
import { xof } from '../hashing/stream.xof.js';
import { blockSizes, blockSpan, type BlockSpan, splitBytes } from '../packing/block.layout.js';
import { parametersDigest, resolveParameters } from '../ring/aggregation.parameters.js';
import { parameterSet, type AggregationParameters, type ParameterSetName } from '../ring/parameter.set.js';
import {
  addElement,
  bytesFromCut,
  bytesFromWords,
  cutBytes,
  elementBytes,
  elementFromBytes,
  elementFromCut,
  scalar,
  scaleElement,
  zeroElement,
  type RingElement,
} from '../ring/ring.element.js';
import { sealEngine } from '../ring/seal.engine.js';
import { addSmudging, smudgingLimbs } from '../sampling/smudging.sampler.js';
import { publicElement } from '../sampling/uniform.sampler.js';

/** Bytes of a decryption share of so many coefficients: a residue for each data prime. */
export function shareBytes(coefficients: number, parameters: AggregationParameters): number {
  const { set } = resolveParameters(parameters);
  return blockSizes(coefficients, set).reduce((sum, used) => sum + cutBytes(used, set), 0);
}

/** Where a block lies in a share of so many coefficients; 'out-of-range' for one that it does not have. */
export function shareBlockSpan(block: number, coefficients: number, parameters: AggregationParameters): BlockSpan {
  const { set } = resolveParameters(parameters);
  return blockSpan(block, coefficients, set, (used) => cutBytes(used, set));
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
 * R6 for all blocks: h_b = L1·a_b·S_A(α_j) + e_b, the coefficients in use, concatenated.
 *
 * e is a function of everything that determines the exact value and of nothing else. With less, two computations of different values
 * would share their noise and subtract it; with more, one value would come under many noises and average it out.
 *
 * So the number of coefficients stays out of it. Coefficient i of L1·a_b·S_A(α_j) is the same wherever the block is cut, and with the noise of a
 * whole block drawn before the cut, shares of two lengths agree in all they have in common: the shorter one tells nothing that the longer
 * does not. Bound to the length, asking for N lengths would give N readings of coefficient 0 and take √N off its noise (6.5 bits of κ at N = 8192).
 */
export function decryptionShare(input: DecryptionShareInput): Uint8Array {
  const { parameters, k, setDigest, kind, holder, holderIndex, keyShareSum, noiseKey, coefficients } = input;
  const { set, committee } = resolveParameters(parameters);
  requireRoundContext(k);
  if (!/^[0-9a-f]{64}$/.test(setDigest))
    throw new CryptoError('malformed', `The set digest ${JSON.stringify(setDigest)} is not 64 hex characters.`);
  if (committee.points[holderIndex] === undefined) {
    throw new CryptoError('bad-committee', `There is no key holder at position ${holderIndex} of ${parameters.keyHolders}.`);
  }
  if (!(noiseKey instanceof Uint8Array) || noiseKey.length !== 32) throw new CryptoError('malformed', 'The noise key must be 32 bytes.');
  const sizes = blockSizes(coefficients, set);
  const engine = sealEngine(set.name);
  const scaled = elementFromBytes(keyShareSum, set, 'The sum of key shares');
  scaleElement(scaled, scalar(committee.L1, set), set);
  const factor = engine.factor(scaled);
  scaled.fill(0n);
  const parametersHash = parametersDigest(parameters);
  const share = new Uint8Array(shareBytes(coefficients, parameters));
  try {
    for (const [block, used] of sizes.entries()) {
      const element = engine.productCoefficients(publicElement(k, block, set), factor);
      const stream = xof('smudging', noiseKey, kind, k, setDigest, parametersHash, [holder, holderIndex], block);
      const sums = smudgingLimbs(stream, parameters.smudgingBits, set.degree);
      addSmudging(element, sums, parameters.smudgingBits, set);
      share.set(bytesFromCut(element, used, set), block * elementBytes(set));
      sums.fill(0n);
    }
  } finally {
    factor.free();
  }
  return share;
}

/** Blocks of a share from the wire, as whole elements; 'malformed' for a wrong length or a residue that is not below its prime. */
export function shareElements(share: Uint8Array, coefficients: number, parameters: AggregationParameters, what: string): RingElement[] {
  const { set } = resolveParameters(parameters);
  const sizes = blockSizes(coefficients, set);
  return shareBlocks(share, coefficients, parameters, what).map((bytes, block) => elementFromCut(bytes, sizes[block]!, set, what));
}

function shareBlocks(share: Uint8Array, coefficients: number, parameters: AggregationParameters, what: string): Uint8Array[] {
  const { set } = resolveParameters(parameters);
  const lengths = blockSizes(coefficients, set).map((used) => cutBytes(used, set));
  return splitBytes(share, lengths, `${what} of ${coefficients} coefficients`);
}

/** SHA-256 of every block, the leaves of the share's Merkle tree; 'malformed' for another length than its coefficients take. */
export function shareBlockDigests(share: Uint8Array, coefficients: number, parameters: AggregationParameters): Uint8Array[] {
  return digestsOf(shareBlocks(share, coefficients, parameters, 'A share'));
}
