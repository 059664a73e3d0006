import {
  type AggregationParameters,
  committeeConstants,
  type DecodingSet,
  doubledNoise,
  type ParameterSet,
  parameterSet,
  xof,
} from '@coferment/crypto';

/*
 * One coefficient of a sum in which every honest party is off as far as it can be, all in one direction for one decoding set D: errors of ±21, uploads at the
 * end of their truncation step, smudging at the end of its support ±(2^(b+1) − 2), shares at the end of their step. Integers only.
 */

export const modulo = (value: bigint, modulus: bigint): bigint => ((value % modulus) + modulus) % modulus;
export const absolute = (value: bigint): bigint => (value < 0n ? -value : value);
const LARGEST_ERROR = 21n;

/** value^-1 mod modulus (Euclid); they must be coprime. */
export function inverse(value: bigint, modulus: bigint): bigint {
  let [low, high, x, y] = [modulo(value, modulus), modulus, 1n, 0n];
  while (low > 1n) [low, high, x, y] = [high % low, low, y - (high / low) * x, x];
  return modulo(x, modulus);
}

/** Nearest integer to a/b, halves upwards, for a ≥ 0 and b > 0. */
export const nearest = (a: bigint, b: bigint): bigint => (2n * a + b) / (2n * b);

/** What the members of D and the coordinator hold of one coefficient. */
export interface WorstCoefficient {
  /** Σ c of the uploads as the coordinator has it, half steps added. */
  total: bigint;
  /** What travels of each share, in the order of D. */
  truncated: bigint[];
  /** Σ of the sites' messages. */
  expected: bigint;
}

/** Full-range integers for what is uniform in a real sum: the upper bits of shares. Drawn once; the same in every run. */
const stream = xof('exactness');
const pool = Array.from({ length: 61 }, () => stream.uniformBelow(parameterSet('STANDARD').modulus));
let drawn = 0;
const uniform = (): bigint => pool[drawn++ % pool.length]!;

/** Everything about one D that does not depend on messages. */
export class WorstScene {
  readonly set: ParameterSet;
  /** L1·L2(D) */
  readonly scale: bigint;
  /** Twice the noise bound. */
  readonly doubled: bigint;
  readonly #inverseScale: bigint;

  constructor(
    readonly parameters: AggregationParameters,
    readonly decoding: DecodingSet,
  ) {
    this.set = parameterSet(parameters.set);
    this.scale = committeeConstants(parameters.keyHolders, parameters.threshold).L1 * decoding.scale;
    this.#inverseScale = inverse(this.scale, this.set.modulus);
    this.doubled = doubledNoise(committeeConstants(parameters.keyHolders, parameters.threshold), decoding, {
      addends: parameters.sites,
      ...parameters,
    });
  }

  /** @param message of every site. @param sign of all deviations */
  coefficient(message: bigint, sign: 1n | -1n): WorstCoefficient {
    const { modulus: q, plainModulus: t } = this.set;
    const { sites, smudgingBits, droppedBits, shareDroppedBits } = this.parameters;
    const smudging = (1n << BigInt(smudgingBits + 1)) - 2n;
    const step = 1n << BigInt(shareDroppedBits);
    let weighted = 0n;
    const truncated = this.decoding.weights.map((weight) => {
      const up = weight * sign > 0n;
      const kept = uniform() >> BigInt(shareDroppedBits);
      // The receiver takes the middle of a step: too much where the share is its lowest value, too little where it is its highest.
      const h = kept * step + (up || shareDroppedBits === 0 ? 0n : step - 1n);
      weighted += weight * (h - (up ? smudging : -smudging));
      return kept;
    });
    // What the shares of D interpolate to at 0 without their noise: a·Σ s, which is in the uploads with the other sign.
    const keys = modulo(weighted * this.#inverseScale, q);
    const halfStep = droppedBits === 0 ? 0n : 1n << BigInt(droppedBits - 1);
    const n = BigInt(sites);
    const total = modulo(n * nearest(q * message, t) - keys + sign * n * (LARGEST_ERROR + halfStep), q);
    return { total, truncated, expected: n * message };
  }

  /** x = L1·L2·Σc + Σ (L2·λ_j)·h_j mod q */
  combined({ total, truncated }: WorstCoefficient): bigint {
    const { shareDroppedBits } = this.parameters;
    const middle = shareDroppedBits === 0 ? 0n : 1n << BigInt(shareDroppedBits - 1);
    let x = this.scale * total;
    this.decoding.weights.forEach((weight, index) => (x += weight * ((truncated[index]! << BigInt(shareDroppedBits)) + middle)));
    return modulo(x, this.set.modulus);
  }

  /** (q/t)·(L1·L2·Σm mod t), t times over, and how far t·x is from it modulo q·t. */
  deviation(x: bigint, expected: bigint): bigint {
    const { modulus: q, plainModulus: t } = this.set;
    const off = modulo(t * x - q * modulo(this.scale * expected, t), q * t);
    return 2n * off > q * t ? off - q * t : off;
  }

  /** Nearest multiple of q/t, and (L1·L2)^-1 of it. */
  decoded(x: bigint): bigint {
    const { modulus: q, plainModulus: t } = this.set;
    return modulo(nearest(t * x, q) * inverse(this.scale, t), t);
  }
}

/** Site messages at the ends of what packing allows: nothing, full digits everywhere, only the lowest, only the highest. */
export function extremeMessages({ digitsPerCoefficient, digitBits, valueBits }: AggregationParameters): bigint[] {
  const digit = (1n << BigInt(valueBits)) - 1n;
  const at = (position: number): bigint => digit << BigInt(digitBits * position);
  const all = Array.from({ length: digitsPerCoefficient }, (_, position) => at(position)).reduce((sum, value) => sum + value);
  return [0n, all, at(0), at(digitsPerCoefficient - 1)];
}
