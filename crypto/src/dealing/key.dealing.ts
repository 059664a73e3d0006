import { randomBytes } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';
import { bytesToHex, concatBytes } from '../hashing/bytes.codec.js';
import { hash } from '../hashing/purpose.hash.js';
import { xof } from '../hashing/stream.xof.js';
import { resolveParameters } from '../ring/aggregation.parameters.js';
import type { AggregationParameters, ParameterSet } from '../ring/parameter.set.js';
import {
  addScaledElement,
  bytesFromWords,
  elementBytes,
  elementsFromBytes,
  equalElements,
  evaluateAt,
  scalarFromResidues,
  type RingElement,
} from '../ring/ring.element.js';
import { sealEngine } from '../ring/seal.engine.js';
import type { Multiplier } from '../ring/word.arithmetic.js';
import { uniformElement } from '../sampling/uniform.sampler.js';

const SALT_BYTES = 32;
/** Each dealing is checked against two independent masks, so a wrong share passes with probability about 2^-118. */
const MASKS = 2;

export interface Dealing {
  /** s_i, NTT form, one ring element. Erased at the end of the epoch. */
  secretKey: Uint8Array;
  /** C_ij per holder, hex. */
  commitments: string[];
  /** W¹ then W², τ ring elements each (NTT form), lowest coefficient first. */
  masked: Uint8Array;
  /** Per holder salt ‖ S(α_j) ‖ R¹(α_j) ‖ R²(α_j); to be sealed to exactly that holder. */
  privateShares: Uint8Array[];
}

function commitment(salt: Uint8Array, values: readonly Uint8Array[]): string {
  return bytesToHex(hash('dealing-commitment', salt, ...values));
}

/** β¹ and β²: one uniform scalar per prime, fixed by all commitments, so the dealer cannot choose its values after seeing them. */
function challenges(e0: string, dealer: string, commitments: readonly string[], set: ParameterSet): Multiplier[][] {
  const stream = xof('deal-beta', e0, dealer, commitments);
  return Array.from({ length: MASKS }, () =>
    scalarFromResidues(
      set.dataPrimes.map((prime) => stream.uniformBelow(prime)),
      set,
    ),
  );
}

/**
 * S2: a fresh ternary key, shared with degree τ−1, with commitments and the masked polynomials of the verification.
 * Everything is fresh at every call; the masks are erased before it returns (a mask used under a second β would give the shares away).
 */
export function deal({ e0, dealer, parameters }: { e0: string; dealer: string; parameters: AggregationParameters }): Dealing {
  const { set, committee } = resolveParameters(parameters);
  const { threshold, points } = committee;
  const uniform = (count: number): RingElement[] => Array.from({ length: count }, () => uniformElement(set));
  const secret = sealEngine(set.name).ternarySecret();
  const polynomial = [secret, ...uniform(threshold - 1)];
  const masks = Array.from({ length: MASKS }, () => uniform(threshold));
  const privateShares: Uint8Array[] = [];
  const commitments: string[] = [];
  for (const point of points) {
    const salt = new Uint8Array(randomBytes(SALT_BYTES));
    const values = [polynomial, ...masks].map((coefficients) => bytesFromWords(evaluateAt(coefficients, point, set)));
    commitments.push(commitment(salt, values));
    privateShares.push(concatBytes([salt, ...values]));
  }
  challenges(e0, dealer, commitments, set).forEach((beta, k) => {
    masks[k]!.forEach((mask, degree) => addScaledElement(mask, polynomial[degree]!, beta, set));
  });
  const masked = concatBytes(masks.flat().map(bytesFromWords));
  const secretKey = bytesFromWords(secret);
  for (const element of [...polynomial, ...masks.flat()]) element.fill(0n);
  return { secretKey, commitments, masked, privateShares };
}

export interface DealingCheck {
  e0: string;
  dealer: string;
  /** Position of the checking holder, from 0. */
  holderIndex: number;
  parameters: AggregationParameters;
  commitments: readonly string[];
  masked: Uint8Array;
  privateShare: Uint8Array;
}

function refuse(reason: string): never {
  throw new CryptoError('dealing-refused', reason);
}

function parse(bytes: Uint8Array, count: number, set: ParameterSet, what: string): RingElement[] {
  try {
    return elementsFromBytes(bytes, count, set, what);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/**
 * S3: holder j's check of one dealing. Returns the key share S_i(α_j) (one ring element, NTT form).
 * Throws 'dealing-refused' with the reason; a refusal blames the pair of dealer and holder, since nobody else can tell who lies.
 */
export function checkDealing({ e0, dealer, holderIndex, parameters, commitments, masked, privateShare }: DealingCheck): Uint8Array {
  const { set, committee } = resolveParameters(parameters);
  const point = committee.points[holderIndex];
  if (point === undefined) throw new CryptoError('bad-committee', `There is no key holder at position ${holderIndex}.`);
  if (!Array.isArray(commitments) || commitments.length !== committee.keyHolders || !commitments.every((c) => /^[0-9a-f]{64}$/.test(c))) {
    refuse(`The dealing of ${dealer} does not carry ${committee.keyHolders} commitments of 64 hex characters.`);
  }
  const bytes = elementBytes(set);
  if (!(privateShare instanceof Uint8Array) || privateShare.length !== SALT_BYTES + (1 + MASKS) * bytes) {
    refuse(`The private share of ${dealer} has a wrong length.`);
  }
  const salt = privateShare.subarray(0, SALT_BYTES);
  const [share, ...maskValues] = parse(privateShare.subarray(SALT_BYTES), 1 + MASKS, set, `The private share of ${dealer}`);
  const maskedCoefficients = parse(masked, MASKS * committee.threshold, set, `The masked polynomials of ${dealer}`);
  const values = [share!, ...maskValues].map(bytesFromWords);
  if (commitment(salt, values) !== commitments[holderIndex]) {
    refuse(`The private share of ${dealer} does not open its commitment for holder ${holderIndex}.`);
  }
  challenges(e0, dealer, commitments, set).forEach((beta, k) => {
    const expected = maskValues[k]!;
    addScaledElement(expected, share!, beta, set);
    const polynomial = maskedCoefficients.slice(k * committee.threshold, (k + 1) * committee.threshold);
    if (!equalElements(evaluateAt(polynomial, point, set), expected)) {
      refuse(`The share of ${dealer} for holder ${holderIndex} is not on the polynomial it published (mask ${k + 1}).`);
    }
  });
  // An honest share is zero with probability 2^-180N. A dealer whose polynomial vanishes here would leave this holder unable to answer for its confirmation.
  if (share!.every((word) => word === 0n))
    refuse(`The share of ${dealer} for holder ${holderIndex} is zero: nothing can be released with it.`);
  return values[0]!;
}
