import { parameterSet, type ParameterSetName } from '@coferment/crypto';
import { ConsortiumBudgetError } from './budget.error.js';

/** Where the limits come from. No estimator was run for them here. */
const LATTICE_SOURCE =
  'Homomorphic Encryption Security Standard (HomomorphicEncryption.org, 2018), tables for a ternary secret and an error of deviation 3.2';

export interface LatticeSecurity {
  /** N */
  degree: number;
  secret: 'ternary';
  /** log2 of q: everything that is ever computed under a key is modulo this product of the data primes. */
  ciphertextModulusBits: number;
  /** With the special prime that SEAL's context has and nothing here uses. */
  contextModulusBits: number;
  /** Largest log2 q of the tables for this N at 128 bits. */
  limits: { classical128: number; postQuantum128: number };
  /** True when even the context's modulus is within the limit. */
  within: { classical128: boolean; postQuantum128: boolean };
  source: string;
}

/** log2 q at 128 bits by degree, secret uniform in {−1, 0, 1}. */
const LIMITS = new Map([
  [1024, { classical128: 27, postQuantum128: 25 }],
  [8192, { classical128: 218, postQuantum128: 202 }],
]);

/** A parameter set against the tables of the standard. Throws 'invalid-number' for a degree that they do not have. */
export function latticeSecurity(name: ParameterSetName): LatticeSecurity {
  const { degree, modulus, coefficientModulusBits } = parameterSet(name);
  const limits = LIMITS.get(degree);
  if (limits === undefined) throw new ConsortiumBudgetError('invalid-number', `The tables have no row for N = ${degree}.`);
  const contextModulusBits = coefficientModulusBits.reduce((sum, bits) => sum + bits, 0);
  const within = {
    classical128: contextModulusBits <= limits.classical128,
    postQuantum128: contextModulusBits <= limits.postQuantum128,
  };
  return {
    degree,
    secret: 'ternary',
    ciphertextModulusBits: modulus.toString(2).length,
    contextModulusBits,
    limits,
    within,
    source: LATTICE_SOURCE,
  };
}
