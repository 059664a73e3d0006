import { type AggregationParameters, type CiphertextSum, type ParameterSet, parameterSet } from '@coferment/crypto';
import { publicElement } from '../../../crypto/src/sampling/uniform.sampler.js';

/**
 * An element of R_q by its values at the roots of X^N + 1, as key shares travel: word p·N + i is the value at root i modulo prime p. Products are
 * slot by slot.
 */
export type Slots = BigUint64Array;
/** The same element by its N coefficients, integers in [0, q). */
export type Coefficients = bigint[];

export const modulo = (value: bigint, modulus: bigint): bigint => ((value % modulus) + modulus) % modulus;

export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = modulo(base, modulus), rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % modulus) {
    if (rest & 1n) result = (result * square) % modulus;
  }
  return result;
}

export const inverseModulo = (value: bigint, prime: bigint): bigint => power(value, prime - 2n, prime);

function bitReversed(value: number, bits: number): number {
  let result = 0;
  for (let bit = 0; bit < bits; bit++) result |= ((value >> bit) & 1) << (bits - 1 - bit);
  return result;
}

/**
 * The attackers' own ring arithmetic, written from the definition and not shared with the product: what they compute must not inherit a mistake of ours.
 * Plain BigInt, slow and simple.
 */
export class AttackerRing {
  readonly q: bigint;
  readonly t: bigint;
  readonly degree: number;
  readonly primes: readonly bigint[];
  /** For each prime, the powers of the smallest primitive 2N-th root ψ in bit-reversed order. */
  readonly #roots: bigint[][];
  readonly #crt: bigint[];

  constructor(readonly set: ParameterSet) {
    this.q = set.modulus;
    this.t = set.plainModulus;
    this.degree = set.degree;
    this.primes = set.dataPrimes;
    const bits = Math.log2(set.degree);
    this.#roots = this.primes.map((prime) => {
      const powers = [1n];
      const root = smallestRoot(BigInt(2 * set.degree), prime);
      for (let i = 1; i < set.degree; i++) powers.push((powers[i - 1]! * root) % prime);
      return powers.map((_, index) => powers[bitReversed(index, bits)]!);
    });
    this.#crt = this.primes.map((prime) => {
      const others = this.q / prime;
      return others * inverseModulo(others, prime);
    });
  }

  static of(parameters: AggregationParameters): AttackerRing {
    return new AttackerRing(parameterSet(parameters.set));
  }

  /** Negacyclic number theoretic transform, decimation in time; SEAL stores its output in this order. */
  toSlots(coefficients: Coefficients): Slots {
    const slots = new BigUint64Array(this.primes.length * this.degree);
    this.primes.forEach((prime, p) => {
      const values = coefficients.map((value) => modulo(value, prime));
      const roots = this.#roots[p]!;
      for (let groups = 1, span = this.degree / 2; groups < this.degree; groups *= 2, span /= 2) {
        for (let group = 0; group < groups; group++) {
          const root = roots[groups + group]!;
          for (let i = 2 * group * span, end = i + span; i < end; i++) {
            const upper = values[i]!;
            const lower = (values[i + span]! * root) % prime;
            values[i] = (upper + lower) % prime;
            values[i + span] = (upper - lower + prime) % prime;
          }
        }
      }
      slots.set(values, p * this.degree);
    });
    return slots;
  }

  toCoefficients(slots: Slots): Coefficients {
    const residues = new BigUint64Array(slots.length);
    this.primes.forEach((prime, p) => {
      const values = Array.from(slots.subarray(p * this.degree, (p + 1) * this.degree));
      const roots = this.#roots[p]!;
      for (let groups = this.degree / 2, span = 1; groups >= 1; groups /= 2, span *= 2) {
        for (let group = 0; group < groups; group++) {
          const root = inverseModulo(roots[groups + group]!, prime);
          for (let i = 2 * group * span, end = i + span; i < end; i++) {
            const [upper, lower] = [values[i]!, values[i + span]!];
            values[i] = (upper + lower) % prime;
            values[i + span] = ((upper - lower + prime) * root) % prime;
          }
        }
      }
      const scale = inverseModulo(BigInt(this.degree), prime);
      residues.set(
        values.map((value) => (value * scale) % prime),
        p * this.degree,
      );
    });
    return this.fromResidues(residues);
  }

  /** Coefficients from their residues, prime by prime (Chinese remainder theorem). */
  fromResidues(residues: BigUint64Array): Coefficients {
    return Array.from({ length: this.degree }, (_, i) => {
      const sum = this.#crt.reduce((total, factor, p) => total + factor * residues[p * this.degree + i]!, 0n);
      return sum % this.q;
    });
  }

  /** Slot by slot, with each prime's arithmetic. */
  #zip(a: Slots, b: Slots, combine: (a: bigint, b: bigint, prime: bigint) => bigint): Slots {
    const result = new BigUint64Array(a.length);
    this.primes.forEach((prime, p) => {
      for (let i = p * this.degree; i < (p + 1) * this.degree; i++) result[i] = modulo(combine(a[i]!, b[i]!, prime), prime);
    });
    return result;
  }

  multiply(a: Slots, b: Slots): Slots {
    return this.#zip(a, b, (x, y) => x * y);
  }

  /** a / b; b must have no slot that is zero, which random elements have with probability 1 − 2^-45. */
  divide(a: Slots, b: Slots): Slots {
    return this.#zip(a, b, (x, y, prime) => x * inverseModulo(y, prime));
  }

  /** a + factor·b */
  add(a: Slots, b: Slots, factor = 1n): Slots {
    return this.#zip(a, b, (x, y) => x + factor * y);
  }

  scale(a: Slots, factor: bigint): Slots {
    return this.#zip(a, a, (x) => x * factor);
  }

  /** A constant polynomial has the same value at every root. */
  constant(value: bigint): Slots {
    const slots = new BigUint64Array(this.primes.length * this.degree);
    this.primes.forEach((prime, p) => slots.fill(modulo(value, prime), p * this.degree, (p + 1) * this.degree));
    return slots;
  }

  /** factor as numerator / denominator modulo q. */
  ratio(numerator: bigint, denominator: bigint): bigint {
    const residues = this.primes.map((prime) => modulo(numerator * inverseModulo(denominator, prime), prime));
    return residues.reduce((sum, residue, p) => sum + residue * this.#crt[p]!, 0n) % this.q;
  }

  /** The representative in (−q/2, q/2]. */
  centred(value: bigint): bigint {
    const reduced = modulo(value, this.q);
    return 2n * reduced > this.q ? reduced - this.q : reduced;
  }

  /** ⌈q·m/t⌋: a message where encryption puts it. */
  lifted(message: bigint): bigint {
    return (this.q * modulo(message, this.t) + this.t / 2n) / this.t;
  }

  /** ⌊t·x/q⌉ modulo t: what a decryptor reads in one coefficient. */
  rounded(value: bigint): bigint {
    return ((modulo(value, this.q) * this.t + this.q / 2n) / this.q) % this.t;
  }

  publicElement(k: string, block = 0): Slots {
    return publicElement(k, block, this.set);
  }
}

function smallestRoot(order: bigint, prime: bigint): bigint {
  let root = 0n;
  for (let base = 2n; root === 0n; base++) {
    const candidate = power(base, (prime - 1n) / order, prime);
    if (power(candidate, order / 2n, prime) === prime - 1n) root = candidate;
  }
  const square = (root * root) % prime;
  let smallest = root;
  for (let odd = root, i = 0n; i < order / 2n; i++) {
    odd = (odd * square) % prime;
    if (odd < smallest) smallest = odd;
  }
  return smallest;
}

export const slotsOf = (bytes: Uint8Array): Slots => new BigUint64Array(bytes.slice().buffer);
export const bytesOf = (slots: Slots): Uint8Array => new Uint8Array(slots.slice().buffer);

/** Widths of the bit planes of a coefficient of `bits` bits: 32, 32, … and the binary digits of the rest, lowest bits first. */
const widths = (bits: number): number[] => [
  ...Array.from({ length: Math.floor(bits / 32) }, () => 32),
  ...[16, 8, 4, 2, 1].filter((width) => ((bits % 32) & width) !== 0),
];

/** One block from the wire, by the written format: plane by plane, narrow planes packed low bits first. */
export function readPlanes(block: Uint8Array, used: number, bits: number): bigint[] {
  const values = Array.from({ length: used }, () => 0n);
  let [at, shift] = [0, 0n];
  for (const width of widths(bits)) {
    for (let i = 0; i < used; i++) {
      for (let bit = 0; bit < width; bit += Math.min(8, width)) {
        const position = i * width + bit;
        const piece = (block[at + (position >> 3)]! >> (position & 7)) & (2 ** Math.min(8, width) - 1);
        values[i]! += BigInt(piece) << (shift + BigInt(bit));
      }
    }
    at += Math.ceil((used * width) / 8);
    shift += BigInt(width);
  }
  return values;
}

/** The inverse of {@link readPlanes}. */
export function writePlanes(values: readonly bigint[], bits: number): Uint8Array {
  const planes: Uint8Array[] = [];
  let shift = 0n;
  for (const width of widths(bits)) {
    const plane = new Uint8Array(Math.ceil((values.length * width) / 8));
    values.forEach((value, i) => {
      for (let bit = 0; bit < width; bit += Math.min(8, width)) {
        const position = i * width + bit;
        const piece = Number((value >> (shift + BigInt(bit))) & BigInt(2 ** Math.min(8, width) - 1));
        plane[position >> 3]! |= piece << (position & 7);
      }
    });
    planes.push(plane);
    shift += BigInt(width);
  }
  return new Uint8Array(Buffer.concat(planes));
}

/** Truncated values at the middle of what they stand for. */
const restored = (values: readonly bigint[], dropped: number): Coefficients =>
  values.map((value) => (dropped === 0 ? value : (value << BigInt(dropped)) + (1n << BigInt(dropped - 1))));

/** The one block of an upload, as everybody can read it; zero behind the coefficients in use. */
export function readUpload(ring: AttackerRing, upload: Uint8Array, coefficients: number, parameters: AggregationParameters): Coefficients {
  const values = restored(readPlanes(upload, coefficients, parameters.keptBits), parameters.droppedBits);
  return [...values, ...Array.from({ length: ring.degree - coefficients }, () => 0n)];
}

/** Coefficients of a block of a {@link CiphertextSum}: three 64-bit words each, lowest first. */
export function readTotal({ blocks }: CiphertextSum): Coefficients {
  const [words] = blocks as [BigUint64Array];
  return Array.from({ length: words.length / 3 }, (_, i) => words[3 * i]! + (words[3 * i + 1]! << 64n) + (words[3 * i + 2]! << 128n));
}

/** The one block of a decryption share, as its receiver reads it. */
export function readShare(ring: AttackerRing, share: Uint8Array, coefficients: number, parameters: AggregationParameters): Coefficients {
  const { shareDroppedBits } = parameters;
  const bits = ring.q.toString(2).length - shareDroppedBits;
  const values = restored(readPlanes(share, coefficients, bits), shareDroppedBits);
  return [...values, ...Array.from({ length: ring.degree - coefficients }, () => 0n)];
}
