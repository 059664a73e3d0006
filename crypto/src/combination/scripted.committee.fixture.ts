import { checkDealing, deal } from '../dealing/key.dealing.js';
import { encryptVector } from '../encryption/vector.encryption.js';
import { digest } from '../hashing/purpose.hash.js';
import { xof } from '../hashing/stream.xof.js';
import { parameterSet, type AggregationParameters, type ParameterSetName } from '../ring/parameter.set.js';
import { decryptionShare, sumKeyShares, type DecryptionShareInput } from '../shares/decryption.share.js';

/* What the budget of the consortium package plans for n = m sites (its tests compare). */
const PLANNED = {
  '3/3': { kappa: 80, smudgingBits: 85, droppedBits: 118, keptBits: 62, valueBits: 17 },
  '4/3': { kappa: 80, smudgingBits: 89, droppedBits: 115, keptBits: 65, valueBits: 17 },
  '5/4': { kappa: 80, smudgingBits: 91, droppedBits: 112, keptBits: 68, valueBits: 16 },
  '7/5': { kappa: 80, smudgingBits: 97, droppedBits: 105, keptBits: 75, valueBits: 16 },
  '8/4': { kappa: 80, smudgingBits: 98, droppedBits: 104, keptBits: 76, valueBits: 16 },
  '12/9': { kappa: 67, smudgingBits: 102, droppedBits: 87, keptBits: 93, valueBits: 15 },
} as const;

export function plannedFor(m: number, threshold: number, set: ParameterSetName = 'INSECURE_TEST_1024'): AggregationParameters {
  const planned = PLANNED[`${m}/${threshold}` as keyof typeof PLANNED];
  return {
    set,
    sites: m,
    keyHolders: m,
    threshold,
    digitsPerCoefficient: 3,
    digitBits: 19,
    shareDroppedBits: planned.smudgingBits - 6,
    ...planned,
  };
}

export const K = digest('example-round');
export const SET_DIGEST = digest('example-set');

/** Honest sites and holders of one epoch, with one vector each. */
export interface ScriptedCommittee {
  parameters: AggregationParameters;
  secretKeys: Uint8Array[];
  /** S_A(α_j) per holder */
  keyShareSums: Uint8Array[];
  /** Plaintext coefficients per site: random, one site all-maximal. */
  vectors: BigUint64Array[];
  expected: BigUint64Array;
  uploads: Uint8Array[];
  shares: Map<number, Uint8Array>;
  /** Length of every vector. */
  coefficients: number;
}

export function shareInput(
  committee: Pick<ScriptedCommittee, 'parameters' | 'keyShareSums' | 'coefficients'>,
  holderIndex: number,
): DecryptionShareInput {
  return {
    parameters: committee.parameters,
    k: K,
    setDigest: SET_DIGEST,
    kind: 'update',
    holder: `holder-${holderIndex}`,
    holderIndex,
    keyShareSum: committee.keyShareSums[holderIndex]!,
    noiseKey: new Uint8Array(32).fill(holderIndex + 1),
    coefficients: committee.coefficients,
  };
}

/** The largest plaintext coefficient one site can send such that all sites together stay below t. */
export function largestCoefficient({ digitBits, valueBits }: AggregationParameters): bigint {
  const digit = (1n << BigInt(valueBits)) - 1n;
  return digit + (digit << BigInt(digitBits)) + (digit << BigInt(2 * digitBits));
}

/** @param coefficients length of the vectors; one whole block when left out */
export function scriptedCommittee(
  parameters: AggregationParameters,
  coefficients = parameterSet(parameters.set).degree,
): ScriptedCommittee {
  const sites = Array.from({ length: parameters.sites }, (_, index) => `site-${index}`);
  const dealings = sites.map((dealer) => deal({ e0: 'e0', dealer, parameters }));
  const keyShareSums = Array.from({ length: parameters.keyHolders }, (_, holderIndex) =>
    sumKeyShares(
      dealings.map(({ commitments, masked, privateShares }, index) =>
        checkDealing({
          e0: 'e0',
          dealer: sites[index]!,
          holderIndex,
          parameters,
          commitments,
          masked,
          privateShare: privateShares[holderIndex]!,
        }),
      ),
    ),
  );
  const most = largestCoefficient(parameters);
  const vectors = sites.map((site, index) => {
    const stream = xof('example-vector', site);
    return BigUint64Array.from({ length: coefficients }, () => (index === 0 ? most : stream.uniformBelow(most + 1n)));
  });
  const secretKeys = dealings.map(({ secretKey }) => secretKey);
  const uploads = vectors.map((vector, index) => encryptVector({ parameters, k: K, secretKey: secretKeys[index]!, coefficients: vector }));
  const shares = new Map(
    keyShareSums.map((_, holder) => [holder, decryptionShare(shareInput({ parameters, keyShareSums, coefficients }, holder))]),
  );
  const expected = vectors[0]!.map((_, i) => vectors.reduce((sum, vector) => sum + vector[i]!, 0n));
  return { parameters, secretKeys, keyShareSums, vectors, expected, uploads, shares, coefficients };
}

/** The shares of these holders only. */
export function pick(shares: ReadonlyMap<number, Uint8Array>, holders: readonly number[]): Map<number, Uint8Array> {
  return new Map(holders.map((holder) => [holder, shares.get(holder)!]));
}
