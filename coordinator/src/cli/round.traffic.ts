import {
  type AggregationParameters,
  blockCount,
  ciphertextBytes,
  coefficientCount,
  parameterSet,
  shareBytes,
  type VectorShape,
} from '@coferment/crypto';

/** Bytes of objects in one round in which everybody takes part; the signed statements beside them are a few kilobytes a site. */
export interface RoundTraffic {
  /** One upload, one decryption share, and the published sum. */
  objects: { upload: number; share: number; sum: number };
  /** A site that holds no key. It fetches the sum, and at most so much more to open a few blocks of it again. */
  site: { sends: number; receives: number; ofThatSpotCheck: number };
  keyHolder: { sends: number; receives: number };
  coordinator: { receives: number; sends: number };
}

const SUM_WORD_BYTES = 8;
const BLOCK_DIGEST_BYTES = 32;
/** Blocks of a sum that each site opens again. */
const CHECKED_BLOCKS = 3;

export function roundTraffic(parameters: AggregationParameters, shape: VectorShape): RoundTraffic {
  const { sites, keyHolders } = parameters;
  const coefficients = coefficientCount(shape, parameters);
  const blocks = blockCount(shape, parameters);
  const objects = {
    upload: ciphertextBytes(coefficients, parameters),
    share: shareBytes(coefficients, parameters),
    sum: coefficients * SUM_WORD_BYTES,
  };
  const checked = Math.min(coefficients, CHECKED_BLOCKS * parameterSet(parameters.set).degree);
  const ofThatSpotCheck =
    sites * ciphertextBytes(checked, parameters) +
    keyHolders * shareBytes(checked, parameters) +
    (sites + keyHolders) * blocks * BLOCK_DIGEST_BYTES;
  const receives = objects.sum + ofThatSpotCheck;
  return {
    objects,
    site: { sends: objects.upload, receives, ofThatSpotCheck },
    keyHolder: { sends: objects.upload + objects.share, receives },
    coordinator: { receives: sites * objects.upload + keyHolders * objects.share, sends: sites * receives },
  };
}
