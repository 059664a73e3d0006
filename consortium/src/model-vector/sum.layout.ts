import { EXACT_BITS, type VectorShape, xof } from '@coferment/crypto';
import { ConsortiumError } from '../errors/index.js';
import { featureNames, type Plan } from '../plan/index.js';
import type { SumKind } from '../statements/index.js';
import { describeModel } from './model.description.js';

/** Fixed-point scale of the statistics: a value of 1 (a row at the top of its public range) counts 2^24. */
export const STATISTICS_SCALE = 2 ** 24;
/** Fixed-point scale of losses and squared errors. */
export const ERROR_SCALE = 2 ** 16;

/** Packed values of a confirmation vector: a part of one block, enough that a wrong key share cannot come out right by chance. */
const CONFIRM_PACKED = 3000;
const CONFIRM_EXACT = 4;
const EXACT_LIMIT = 2 ** EXACT_BITS;

/** One exact integer of a sum: real value = integer / scale. */
export interface ExactField {
  readonly name: string;
  readonly scale: number;
}

/**
 * What stands in the exact coefficients of a sum, in order.
 * - statistics: `count` of training rows, then for each input column and the target `sum:<name>` and `sumSquares:<name>` of the value clamped to its
 *   public range and mapped to [0, 1]. With normalisation `none` only `count`.
 * - update: `weight`; `holdoutCount` and `holdoutSumSquaredError` (target units squared) of the INCOMING model on the site's holdout;
 *   `trainLossSum`, the last epoch's mean training loss times the weight.
 * - evaluate: the two holdout fields.
 */
export function exactFields(plan: Plan, kind: SumKind): ExactField[] {
  const holdout: ExactField[] = [
    { name: 'holdoutCount', scale: 1 },
    { name: 'holdoutSumSquaredError', scale: ERROR_SCALE },
  ];
  switch (kind) {
    case 'confirm':
      return Array.from({ length: CONFIRM_EXACT }, (_, index) => ({ name: `confirm${index + 1}`, scale: 1 }));
    case 'statistics': {
      const columns = plan.normalisation === 'federated' ? [...featureNames(plan), 'target'] : [];
      const sums = columns.flatMap((name) => [`sum:${name}`, `sumSquares:${name}`]);
      return [{ name: 'count', scale: 1 }, ...sums.map((name) => ({ name, scale: STATISTICS_SCALE }))];
    }
    case 'update':
      return [{ name: 'weight', scale: 1 }, ...holdout, { name: 'trainLossSum', scale: ERROR_SCALE }];
    case 'evaluate':
      return holdout;
  }
}

export function exactNames(plan: Plan, kind: SumKind): string[] {
  return exactFields(plan, kind).map((field) => field.name);
}

/** Sizes of a sum's vector, as packing needs them. */
export function vectorShape(plan: Plan, kind: SumKind): VectorShape {
  const exact = exactFields(plan, kind).length;
  switch (kind) {
    case 'confirm':
      return { packed: CONFIRM_PACKED, exact };
    case 'update':
      return { packed: describeModel(plan).parameters, exact };
    case 'statistics':
    case 'evaluate':
      return { packed: 0, exact };
  }
}

/**
 * A site's real values as exact integers in layout order. Each is rounded once, here: rounding row by row would add up.
 * A value too large for its coefficient is set to the largest (an error that has exploded is still reported as huge).
 * @throws ConsortiumError 'wrong-length' for a missing or unknown name, 'out-of-range' for a negative value or one that is no number.
 */
export function encodeExact(plan: Plan, kind: SumKind, values: Readonly<Record<string, number>>): bigint[] {
  const fields = exactFields(plan, kind);
  const names = fields.map((field) => field.name);
  const unknown = Object.keys(values).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new ConsortiumError('wrong-length', `a ${kind} sum has no field "${unknown}"; it has ${names.join(', ')}`);
  return fields.map(({ name, scale }) => {
    const value = values[name];
    if (value === undefined) throw new ConsortiumError('wrong-length', `a ${kind} sum needs the field "${name}"`);
    if (!(value >= 0))
      throw new ConsortiumError('out-of-range', `${name} = ${value} of a ${kind} sum must be a number that is not negative`);
    return BigInt(Math.min(Math.round(value * scale), EXACT_LIMIT - 1));
  });
}

/** The opened integers of a sum as real values by name. @throws ConsortiumError 'wrong-length' */
export function decodeExact(plan: Plan, kind: SumKind, sums: readonly bigint[]): Record<string, number> {
  const fields = exactFields(plan, kind);
  if (sums.length !== fields.length) {
    throw new ConsortiumError('wrong-length', `a ${kind} sum has ${fields.length} exact integers, not ${sums.length}`);
  }
  return Object.fromEntries(fields.map(({ name, scale }, index) => [name, Number(sums[index]) / scale]));
}

/**
 * The public vector that a site encrypts to prove its key epoch (S4). It depends on epoch and site, so nobody can pass with a recorded one.
 * @param e epoch context E, hex.
 */
export function confirmVector(e: string, site: string, valueBits: number): { packed: Uint32Array; exact: bigint[] } {
  if (!Number.isInteger(valueBits) || valueBits < 1 || valueBits > 32) {
    throw new ConsortiumError('out-of-range', `${valueBits} value bits; a packed value has 1 to 32`);
  }
  const stream = xof('confirm', e, site);
  const packed = new Uint32Array(CONFIRM_PACKED);
  for (let index = 0; index < packed.length; index++) packed[index] = stream.uint32() >>> (32 - valueBits);
  return { packed, exact: Array.from({ length: CONFIRM_EXACT }, () => stream.uniformBelow(1n << BigInt(EXACT_BITS))) };
}
