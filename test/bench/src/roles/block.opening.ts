import {
  type AggregationParameters,
  type BlockSpan,
  type VectorShape,
  blockCount,
  ciphertextAccumulator,
  ciphertextBlockSpan,
  coefficientCount,
  openBlock,
  parameterSet,
  shareBlockSpan,
  unpackSum,
} from '@coferment/crypto';
import { TurnClock } from '../measure/sample.statistics.js';
import { SignedFile, type SignedObject } from './signed.object.js';

export interface OpeningOrder {
  parameters: AggregationParameters;
  shape: VectorShape;
  uploads: SignedObject[];
  /** By position of the holder. */
  shares: SignedObject[];
}

export type OpeningStep = 'sum' | 'combine';

/** R7 on one thread, block by block from the files of the object store, with the time of its two steps kept apart. */
export function openBlockByBlock({ parameters, shape, uploads, shares }: OpeningOrder, pathOf: (object: string) => string) {
  const { degree } = parameterSet(parameters.set);
  const clock = new TurnClock<OpeningStep>();
  const addends = uploads.length;
  const coefficients = new BigUint64Array(coefficientCount(shape, parameters));
  const open = (signed: SignedObject): SignedFile => new SignedFile(pathOf(signed.object), signed);
  const [uploadFiles, shareFiles] = [uploads.map(open), shares.map(open)];
  const largest = (spanOf: (block: number, coefficients: number, parameters: AggregationParameters) => BlockSpan): Uint8Array =>
    new Uint8Array(spanOf(0, coefficients.length, parameters).length);
  const uploadBytes = largest(ciphertextBlockSpan);
  const shareBytes = shares.map(() => largest(shareBlockSpan));
  for (let block = 0; block < blockCount(shape, parameters); block++) {
    const total = clock.time('sum', () => {
      const span = ciphertextBlockSpan(block, coefficients.length, parameters);
      const accumulator = ciphertextAccumulator(span.coefficients, parameters);
      for (const file of uploadFiles) {
        const bytes = file.read(span, uploadBytes);
        file.hash(bytes);
        accumulator.add(bytes);
      }
      return accumulator.total();
    });
    clock.time('combine', () => {
      const span = shareBlockSpan(block, coefficients.length, parameters);
      const received = new Map(
        shareFiles.map((file, position) => {
          const bytes = file.read(span, shareBytes[position]!);
          file.hash(bytes);
          return [position, bytes];
        }),
      );
      const opened = openBlock({ parameters, used: span.coefficients, addends, total, shares: received });
      if (opened.coefficients === undefined)
        throw new Error(`Block ${block} did not open; relations failed: ${opened.failedRelations.length}.`);
      coefficients.set(opened.coefficients, block * degree);
    });
  }
  clock.time('sum', () => uploadFiles.forEach((file) => file.finish()));
  const { packed } = clock.time('combine', () => {
    shareFiles.forEach((file) => file.finish());
    return unpackSum(shape, parameters, coefficients, addends);
  });
  return { coefficients, packed, sum: clock.spent('sum'), combine: clock.spent('combine') };
}
