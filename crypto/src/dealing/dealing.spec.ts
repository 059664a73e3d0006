import { beforeAll, describe, expect, it } from 'vitest';
import { committeeConstants } from '../committee/committee.constants.js';
import { bytesToHex, concatBytes } from '../hashing/bytes.codec.js';
import { hash } from '../hashing/purpose.hash.js';
import { xof } from '../hashing/stream.xof.js';
import { parameterSet, type AggregationParameters } from '../ring/parameter.set.js';
import {
  addScaledElement,
  bytesFromWords,
  elementBytes,
  elementFromBytes,
  evaluateAt,
  scalar,
  scalarFromResidues,
  zeroElement,
} from '../ring/ring.element.js';
import { loadSeal } from '../ring/seal.module.js';
import { uniformElement } from '../sampling/uniform.sampler.js';
import { checkDealing, deal, type Dealing, type DealingCheck } from './key.dealing.js';

const parameters: AggregationParameters = {
  set: 'INSECURE_TEST_1024',
  sites: 5,
  keyHolders: 5,
  threshold: 4,
  kappa: 80,
  smudgingBits: 91,
  droppedBits: 112,
  keptBits: 68,
  shareDroppedBits: 85,
  digitsPerCoefficient: 3,
  digitBits: 19,
  valueBits: 16,
};
const set = parameterSet(parameters.set);
const refused = expect.objectContaining({ code: 'dealing-refused' }) as Error;

let dealing: Dealing;
const checkOf = (made: Dealing, holderIndex: number): DealingCheck => ({
  e0: 'e0',
  dealer: 'acme',
  holderIndex,
  parameters,
  commitments: made.commitments,
  masked: made.masked,
  privateShare: made.privateShares[holderIndex]!,
});

/** A dealer that follows the protocol around one wrong share: its commitment, challenge and masked polynomials are all consistent. */
function dealWithOneWrongShare(victim: number): Dealing {
  const { points, threshold } = committeeConstants(parameters.keyHolders, parameters.threshold);
  const polynomials = Array.from({ length: 3 }, () => Array.from({ length: threshold }, () => uniformElement(set)));
  const privateShares: Uint8Array[] = [];
  const commitments = points.map((point, holder) => {
    const values = polynomials.map((polynomial) => evaluateAt(polynomial, point, set));
    if (holder === victim) values[0]![set.degree + 17] = (values[0]![set.degree + 17]! + 1n) % set.dataPrimes[1]!;
    const bytes = values.map(bytesFromWords);
    const salt = new Uint8Array(32).fill(holder);
    privateShares.push(concatBytes([salt, ...bytes]));
    return bytesToHex(hash('dealing-commitment', salt, ...bytes));
  });
  const stream = xof('deal-beta', 'e0', 'acme', commitments);
  const masked = [1, 2].flatMap((k) => {
    const residues = set.dataPrimes.map((prime) => stream.uniformBelow(prime));
    return polynomials[k]!.map((mask, degree) => {
      addScaledElement(mask, polynomials[0]![degree]!, scalarFromResidues(residues, set), set);
      return bytesFromWords(mask);
    });
  });
  return { secretKey: new Uint8Array(), commitments, masked: concatBytes(masked), privateShares };
}

beforeAll(async () => {
  await loadSeal();
  dealing = deal({ e0: 'e0', dealer: 'acme', parameters });
});

describe('malformed dealings', () => {
  it('are refused, never crash', () => {
    const base = checkOf(dealing, 0);
    const overflow = dealing.masked.slice().fill(0xff, 0, 8);
    const shareOverflow = base.privateShare.slice().fill(0xff, 32, 40);
    const broken: Partial<DealingCheck>[] = [
      { commitments: [] },
      { commitments: dealing.commitments.slice(1) },
      { commitments: ['x', ...dealing.commitments.slice(1)] },
      { commitments: [null as unknown as string, ...dealing.commitments.slice(1)] },
      { commitments: undefined as unknown as string[] },
      { masked: new Uint8Array() },
      { masked: dealing.masked.subarray(8) },
      { masked: overflow },
      { masked: undefined as unknown as Uint8Array },
      { privateShare: new Uint8Array(31) },
      { privateShare: undefined as unknown as Uint8Array },
      { privateShare: shareOverflow },
    ];
    for (const change of broken) expect(() => checkDealing({ ...base, ...change })).toThrow(refused);
    expect(() => checkDealing({ ...base, holderIndex: 5 })).toThrow(expect.objectContaining({ code: 'bad-committee' }));
  });
});

describe('a dealing', () => {
  it('gives every holder a share, and any τ of them the key', () => {
    const { decodingSets } = committeeConstants(parameters.keyHolders, parameters.threshold);
    const shares = dealing.privateShares.map((_, holder) => elementFromBytes(checkDealing(checkOf(dealing, holder)), set, 'share'));
    const secret = elementFromBytes(dealing.secretKey, set, 'secret');
    for (const { holders, scale, weights } of decodingSets) {
      const total = zeroElement(set);
      holders.forEach((holder, index) => addScaledElement(total, shares[holder]!, scalar(weights[index]!, set), set));
      addScaledElement(total, secret, scalar(-scale, set), set);
      expect(total.every((word) => word === 0n)).toBe(true);
    }
  });

  it('is fresh at every call', () => {
    const again = deal({ e0: 'e0', dealer: 'acme', parameters });
    expect(again.secretKey).not.toEqual(dealing.secretKey);
    expect(new Set([...again.commitments, ...dealing.commitments]).size).toBe(10);
    expect(dealing.masked.length).toBe(2 * 4 * elementBytes(set));
  });

  it.each([
    ['another epoch', { e0: 'e1' }],
    ['another dealer', { dealer: 'beta' }],
    ['another position', { holderIndex: 1 }],
  ])('is refused for %s', (_, change) => {
    expect(() => checkDealing({ ...checkOf(dealing, 0), ...change })).toThrow(refused);
  });

  it('whose published polynomials changed in one word is refused by every holder', () => {
    const masked = dealing.masked.slice();
    masked[elementBytes(set) + 800]! ^= 1;
    for (let holder = 0; holder < 5; holder++) expect(() => checkDealing({ ...checkOf(dealing, holder), masked })).toThrow(refused);
  });

  it('with one coefficient of one prime wrong for one holder is refused by exactly that holder', () => {
    const wrong = dealWithOneWrongShare(3);
    for (let holder = 0; holder < 5; holder++) {
      const check = (): Uint8Array => checkDealing(checkOf(wrong, holder));
      if (holder === 3) expect(check).toThrow('not on the polynomial it published');
      else expect(check().length).toBe(elementBytes(set));
    }
  });

  it('with a private share altered on the way is refused by that holder', () => {
    const privateShare = dealing.privateShares[2]!.slice();
    privateShare[32 + 8 * 5]! ^= 1;
    expect(() => checkDealing({ ...checkOf(dealing, 2), privateShare })).toThrow('does not open its commitment');
  });
});
