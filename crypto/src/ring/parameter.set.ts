import { CryptoError } from '../crypto.error.js';

/** STANDARD is the only set for real data. INSECURE_TEST_1024 has no security at all: a run refuses it. */
export type ParameterSetName = 'STANDARD' | 'INSECURE_TEST_1024';

/** Ring Z_q[X]/(X^degree + 1) with q the product of the data primes, and BFV plaintext modulus t. */
export interface ParameterSet {
  name: ParameterSetName;
  degree: number;
  dataPrimes: readonly bigint[];
  /** q */
  modulus: bigint;
  /** t, coprime to q and to every committee constant. */
  plainModulus: bigint;
  /** As given to SEAL's CoeffModulus.Create; the last prime exists at key level only and is never used. */
  coefficientModulusBits: readonly number[];
}

/**
 * Everything the two sides of a sum must agree on, as plain JSON; computed by the budget of the consortium package.
 * A ciphertext coefficient drops `droppedBits` low bits and keeps `keptBits`; a coefficient carries `digitsPerCoefficient`
 * digits of `digitBits` bits, each the sum of at most `sites` values of `valueBits` bits. `smudgingBits` is b of a decryption share's noise;
 * a share drops `shareDroppedBits` low bits (d'), which are nothing but that noise.
 */
export interface AggregationParameters {
  set: ParameterSetName;
  sites: number;
  keyHolders: number;
  threshold: number;
  kappa: number;
  smudgingBits: number;
  droppedBits: number;
  keptBits: number;
  shareDroppedBits: number;
  digitsPerCoefficient: number;
  digitBits: number;
  valueBits: number;
}

function define(name: ParameterSetName, degree: number, dataPrimes: readonly bigint[]): ParameterSet {
  return Object.freeze({
    name,
    degree,
    dataPrimes,
    modulus: dataPrimes.reduce((product, prime) => product * prime, 1n),
    // A 57-bit prime: 60 bits would collide with a data prime, 20 bits with the special prime, and SEAL would refuse the context.
    plainModulus: (1n << 57n) - 262143n,
    coefficientModulusBits: [60, 60, 60, 20],
  });
}

/* The primes are those SEAL's CoeffModulus.Create returns, written out so that planning needs no WebAssembly; loading compares them. */
const SETS: Record<ParameterSetName, ParameterSet> = {
  STANDARD: define('STANDARD', 8192, [1152921504606683137n, 1152921504606748673n, 1152921504606830593n]),
  INSECURE_TEST_1024: define('INSECURE_TEST_1024', 1024, [1152921504606748673n, 1152921504606791681n, 1152921504606830593n]),
};

/** The named set; 'bad-parameters' for any other name. */
export function parameterSet(name: ParameterSetName): ParameterSet {
  const set = Object.hasOwn(SETS, name) ? SETS[name] : undefined;
  if (set === undefined) throw new CryptoError('bad-parameters', `There is no parameter set ${JSON.stringify(name)}: use STANDARD.`);
  return set;
}
