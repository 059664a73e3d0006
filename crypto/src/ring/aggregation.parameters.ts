import { committeeConstants, type CommitteeConstants } from '../committee/committee.constants.js';
import { CryptoError } from '../crypto.error.js';
import { digest } from '../hashing/purpose.hash.js';
import { parameterSet, type AggregationParameters, type ParameterSet } from './parameter.set.js';

/** Parameters with what they name looked up. */
export interface ResolvedParameters {
  set: ParameterSet;
  committee: CommitteeConstants;
}

const LIMITS: Record<Exclude<keyof AggregationParameters, 'set'>, [low: number, high: number]> = {
  /* Uploads are added in 48 of the 53 bits of a double, and in 32-bit lanes of 16-bit values. */
  sites: [1, 2 ** 16],
  keyHolders: [2, 12],
  threshold: [2, 12],
  kappa: [1, 80],
  smudgingBits: [1, 160],
  droppedBits: [0, 179],
  keptBits: [1, 180],
  shareDroppedBits: [0, 160],
  digitsPerCoefficient: [1, 57],
  digitBits: [1, 57],
  valueBits: [1, 32],
};

/**
 * Looks up set and committee, after bounding every number: the parameters come from a plan, and they size buffers.
 * Throws 'bad-parameters' or 'bad-committee'. Whether they decrypt correctly is the budget's question, not this function's.
 */
export function resolveParameters(parameters: AggregationParameters): ResolvedParameters {
  const set = parameterSet(parameters.set);
  for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
    const [low, high] = LIMITS[name];
    const value = parameters[name];
    if (!Number.isSafeInteger(value) || value < low || value > high) {
      throw new CryptoError('bad-parameters', `${name} is ${value}; it must be a whole number from ${low} to ${high}.`);
    }
  }
  const bits = set.modulus.toString(2).length;
  if (parameters.droppedBits + parameters.keptBits !== bits) {
    throw new CryptoError(
      'bad-parameters',
      `Dropped ${parameters.droppedBits} and kept ${parameters.keptBits} bits must add up to ${bits}.`,
    );
  }
  if (parameters.shareDroppedBits > parameters.smudgingBits) {
    throw new CryptoError(
      'bad-parameters',
      `A share with noise of ${parameters.smudgingBits} bits cannot drop ${parameters.shareDroppedBits} bits: they would not be noise alone.`,
    );
  }
  const { digitBits, digitsPerCoefficient, valueBits } = parameters;
  if (digitBits * (digitsPerCoefficient - 1) > 56 || valueBits > digitBits) {
    throw new CryptoError(
      'bad-parameters',
      `${digitsPerCoefficient} digits of ${digitBits} bits for ${valueBits}-bit values do not fit the plaintext.`,
    );
  }
  return { set, committee: committeeConstants(parameters.keyHolders, parameters.threshold) };
}

/**
 * H(parameters): every number that determines the value of a decryption share or of a ciphertext. Not shareDroppedBits: truncation comes after the
 * noise, and one value that is released with two truncations must keep one noise, or it could be averaged.
 */
export function parametersDigest(parameters: AggregationParameters): string {
  const { set, committee } = resolveParameters(parameters);
  return digest(
    'parameters',
    [set.name, set.degree, set.dataPrimes, set.plainModulus],
    [parameters.sites, parameters.keyHolders, parameters.threshold, committee.L1],
    [parameters.kappa, parameters.smudgingBits, parameters.droppedBits, parameters.keptBits],
    [parameters.digitsPerCoefficient, parameters.digitBits, parameters.valueBits],
  );
}
