import { CoordinatorError } from '../errors/index.js';

/** Sizes of fields, checked before anything looks inside. Each throws CoordinatorError 'malformed' or 'too-large' naming the field. */
export function requireBytes(field: string, value: Uint8Array, length: number): Uint8Array {
  if (value.length !== length)
    throw new CoordinatorError('malformed', `The field ${field} has ${value.length} bytes; it must have ${length}.`);
  return value;
}

export function requireText(field: string, value: string, maxLength: number): string {
  if (value.length === 0) throw new CoordinatorError('malformed', `The field ${field} is empty.`);
  if (value.length > maxLength)
    throw new CoordinatorError('too-large', `The field ${field} has ${value.length} characters; at most ${maxLength} are read.`);
  return value;
}

export function requireDigest(field: string, value: string): string {
  if (!/^[0-9a-f]{64}$/.test(value))
    throw new CoordinatorError('malformed', `The field ${field} must be 64 lower-case hexadecimal digits.`);
  return value;
}

export function requireCount(field: string, value: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > most) {
    throw new CoordinatorError('malformed', `The field ${field} is ${value}; it must be a whole number from 0 to ${most}.`);
  }
  return value;
}
