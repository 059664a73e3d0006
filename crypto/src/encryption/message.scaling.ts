import { addConstant, limbFactor, limbsOf, multiplyAdd, type LimbFactor, type LimbVectors } from '../ring/limb.vectors.js';
import type { ParameterSet, ParameterSetName } from '../ring/parameter.set.js';
import { multiplyHigh } from '../ring/word.arithmetic.js';
import { MAX_ERROR } from '../sampling/error.sampler.js';

interface Scaling {
  /** ⌊q/t⌋ in limbs. */
  quotient: [LimbFactor, LimbFactor];
  /** ⌊r·2^64/t⌋, r = q mod t, the half that rounds, t, and the third limb of ⌊q/t⌋. */
  rest: BigUint64Array;
  /** q − 21: the errors are added from 0 on. */
  offset: bigint;
}

const prepared = new Map<ParameterSetName, Scaling>();

function scalingOf({ name, modulus, plainModulus: t }: ParameterSet): Scaling {
  const known = prepared.get(name);
  if (known !== undefined) return known;
  const [q0, q1, q2] = limbsOf(modulus / t);
  const rest = modulus % t;
  const made: Scaling = {
    quotient: [limbFactor(q0), limbFactor(q1)],
    rest: BigUint64Array.of((rest << 64n) / t, rest, (t + 1n) / 2n, t, q2),
    offset: modulus - BigInt(MAX_ERROR),
  };
  prepared.set(name, made);
  return made;
}

const ERRORS = BigUint64Array.from({ length: 2 * MAX_ERROR + 1 }, (_, index) => BigInt(index));

/**
 * limbs += e + ⌊(q·m + ⌊(t+1)/2⌋)/t⌋, which is ⌈q·m/t⌋ rounded to the nearest integer, modulo q; message words are below t. The limbs grow by less than 3·q.
 */
export function addMessage(limbs: LimbVectors, message: BigUint64Array, errors: Int8Array, set: ParameterSet): void {
  const { quotient, rest, offset } = scalingOf(set);
  const count = message.length;
  multiplyAdd(message, quotient[0], limbs.low, limbs.middle, count);
  multiplyAdd(message, quotient[1], limbs.middle, limbs.top, count);
  addRest(limbs, message, errors, rest);
  addConstant(limbs, offset, count);
}

/** ⌊(r·m + ⌊(t+1)/2⌋)/t⌋ by an estimate that is at most two too small; what is left over says which. */
function addRest({ low, top }: LimbVectors, message: BigUint64Array, errors: Int8Array, rest: BigUint64Array): void {
  for (let i = 0; i < message.length; i++) {
    const m = BigInt.asUintN(64, message[i]!);
    const t = BigInt.asUintN(64, rest[3]!);
    const estimate = multiplyHigh(m, BigInt.asUintN(64, rest[0]!));
    const product = BigInt.asUintN(64, BigInt.asUintN(64, m * BigInt.asUintN(64, rest[1]!)) + BigInt.asUintN(64, rest[2]!));
    const left = BigInt.asUintN(64, product - BigInt.asUintN(64, estimate * t));
    // Bit 63 of a difference says that it is negative.
    const once = BigInt.asUintN(64, BigInt.asUintN(64, left - t) >> 63n);
    const twice = BigInt.asUintN(64, BigInt.asUintN(64, BigInt.asUintN(64, left - t) - t) >> 63n);
    const rounded = BigInt.asUintN(64, BigInt.asUintN(64, estimate + 2n) - BigInt.asUintN(64, once + twice));
    const error = BigInt.asUintN(64, ERRORS[errors[i]! + MAX_ERROR]!);
    low[i] = BigInt.asUintN(64, BigInt.asUintN(64, BigInt.asUintN(64, low[i]!) + rounded) + error);
    top[i] = BigInt.asUintN(64, BigInt.asUintN(64, top[i]!) + BigInt.asUintN(64, m * BigInt.asUintN(64, rest[4]!)));
  }
}
