import { CryptoError } from '../crypto.error.js';
import { uploadBlocks } from '../encryption/vector.encryption.js';
import { blockSizes } from '../packing/block.layout.js';
import { PlanarRange } from '../packing/planar.range.js';
import { largestTruncated } from '../packing/residue.range.js';
import { resolveParameters } from '../ring/aggregation.parameters.js';
import { COMPOSED_WORDS } from '../ring/crt.composition.js';
import { parameterSet, type AggregationParameters } from '../ring/parameter.set.js';
import { reduceSum } from '../ring/sum.reduction.js';
import { checkedPlanes, type BlockForm } from '../packing/block.check.js';
import { BlockSums } from './plane.sums.js';

/**
 * Σ c_i mod q of the coefficients in use of one block, with the half-step correction of truncation included: three 64-bit words each, lowest first,
 * coefficient by coefficient.
 */
export type BlockTotal = BigUint64Array;

/** Room for the total of a block with `used` coefficients in use. */
export const blockTotal = (used: number): BlockTotal => new BigUint64Array(used * COMPOSED_WORDS);

/** Σ c_i modulo q per block. */
export interface CiphertextSum {
  addends: number;
  /** Coefficients in use. */
  coefficients: number;
  blocks: BlockTotal[];
}

/**
 * Adds one block of one upload after the other: the truncated integers exactly, plane by plane in typed arrays, without a SEAL object. Memory does not
 * grow with the uploads.
 */
export class CiphertextAccumulator {
  readonly #form: BlockForm;
  /** From the first addend on: what is only checked needs no memory. */
  #sums: BlockSums | undefined;
  readonly #parameters: AggregationParameters;
  #addends = 0;

  /** @param used coefficients in use in the block */
  constructor(used: number, parameters: AggregationParameters) {
    const { set } = resolveParameters(parameters);
    if (!Number.isSafeInteger(used) || used < 1 || used > set.degree)
      throw new CryptoError('out-of-range', `A block has 1 to ${set.degree} coefficients, not ${used}.`);
    this.#parameters = parameters;
    const { droppedBits, keptBits: bits } = parameters;
    this.#form = { used, bits, range: new PlanarRange(largestTruncated(set, droppedBits), bits) };
  }

  get addends(): number {
    return this.#addends;
  }

  /**
   * @throws CryptoError 'malformed' for another length than `used` coefficients take, a padding bit or a coefficient that no honest truncation gives;
   *   'out-of-range' for more than `sites` blocks. Nothing was added then
   */
  add(block: Uint8Array): void {
    const { sites } = this.#parameters;
    if (this.#addends >= sites) throw new CryptoError('out-of-range', `More than the ${sites} uploads these parameters allow.`);
    const planes = checkedPlanes(block, this.#form, `The block of upload ${this.#addends}`);
    this.#sums ??= new BlockSums(this.#form.used, this.#form.bits);
    this.#sums.add(planes);
    this.#addends++;
  }

  /**
   * Whether {@link add} would take the block, without adding it. Until something is added this takes no memory.
   * @throws CryptoError 'malformed' as {@link add}
   */
  check(block: Uint8Array): void {
    checkedPlanes(block, this.#form, 'A block of an upload');
  }

  /** Starts another sum of blocks with as many coefficients in use: cheaper than a new accumulator, whose memory is as large as a block. */
  clear(): void {
    this.#sums?.clear();
    this.#addends = 0;
  }

  /**
   * The sum so far: shifted back, with |A|·2^(d−1) added once for the mean of the dropped bits, reduced modulo q.
   * @param into where the total goes instead of a new array: a {@link blockTotal}
   * @throws CryptoError 'out-of-range' before the first addend, or for a target of another length
   */
  total(into?: BlockTotal): BlockTotal {
    if (this.#sums === undefined || this.#addends === 0) throw new CryptoError('out-of-range', 'There are no uploads to sum.');
    const { used } = this.#form;
    const total = into ?? blockTotal(used);
    if (total.length !== used * COMPOSED_WORDS)
      throw new CryptoError('out-of-range', `The total of ${used} coefficients does not fit into ${total.length} words exactly.`);
    const { droppedBits } = this.#parameters;
    const set = parameterSet(this.#parameters.set);
    // 2^d·Σ + |A|·2^(d−1) = 2^(d−1)·(2·Σ + |A|)
    const multiple = droppedBits === 0 ? { factor: 1, start: 0, shift: 0 } : { factor: 2, start: this.#addends, shift: droppedBits - 1 };
    reduceSum(this.#sums.limbs(), multiple, set, total);
    return total;
  }
}

/** @param used coefficients in use in the block; 'out-of-range' for none or more than N */
export function ciphertextAccumulator(used: number, parameters: AggregationParameters): CiphertextAccumulator {
  return new CiphertextAccumulator(used, parameters);
}

/**
 * The sum of whole uploads, block by block.
 * Throws 'malformed' as {@link CiphertextAccumulator.add}, also for an upload of another length than `coefficients` take;
 * 'out-of-range' for no uploads, more than `sites`, or an impossible number of coefficients.
 */
export function sumCiphertexts(uploads: Iterable<Uint8Array>, coefficients: number, parameters: AggregationParameters): CiphertextSum {
  const sizes = blockSizes(coefficients, resolveParameters(parameters).set);
  const accumulators: CiphertextAccumulator[] = [];
  let addends = 0;
  for (const upload of uploads) {
    uploadBlocks(upload, coefficients, parameters).forEach((bytes, block) => {
      const accumulator = (accumulators[block] ??= ciphertextAccumulator(sizes[block]!, parameters));
      accumulator.add(bytes);
    });
    addends++;
  }
  if (addends === 0) throw new CryptoError('out-of-range', 'There are no uploads to sum.');
  return { addends, coefficients, blocks: accumulators.map((accumulator) => accumulator.total()) };
}
