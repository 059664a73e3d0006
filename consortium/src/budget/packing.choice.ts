import { EXACT_BITS } from '@coferment/crypto';
import { ConsortiumBudgetError, requireWhole } from './budget.error.js';

export interface PackingChoice {
  digitsPerCoefficient: number;
  digitBits: number;
  valueBits: number;
}

const MAX_VALUE_BITS = 32;
const AUTO = { digitsPerCoefficient: 3, digitBits: 19 };

/** n(2^v − 1) < 2^w and n(2^v − 1)·Σ_{i<k} 2^(wi) < t. The shorter k·w ≤ log2 t is not the condition. */
export function packingFits(choice: PackingChoice, sites: number, plainModulus: bigint): boolean {
  const digit = BigInt(sites) * ((1n << BigInt(choice.valueBits)) - 1n);
  return digit < 1n << BigInt(choice.digitBits) && packedMaximum(choice, sites) < plainModulus;
}

/** n(2^v − 1)·Σ_{i<k} 2^(wi): the largest coefficient of a sum. */
export function packedMaximum({ digitsPerCoefficient, digitBits, valueBits }: PackingChoice, sites: number): bigint {
  const digit = BigInt(sites) * ((1n << BigInt(valueBits)) - 1n);
  let coefficient = 0n;
  for (let i = 0; i < digitsPerCoefficient; i++) coefficient += digit << BigInt(digitBits * i);
  return coefficient;
}

/** The widest values of which k fit a coefficient in a sum of n, in the narrowest digits that hold them; undefined where not even one bit does. */
export function widestPacking(sites: number, digitsPerCoefficient: number, plainModulus: bigint): PackingChoice | undefined {
  for (let valueBits = MAX_VALUE_BITS; valueBits >= 1; valueBits--) {
    const choice = { digitsPerCoefficient, digitBits: narrowestDigit(sites, valueBits), valueBits };
    if (packingFits(choice, sites, plainModulus)) return choice;
  }
  return undefined;
}

/** What a plan could ask for instead: for every number of values that fits one coefficient, the widest of them that the plan's schema takes. */
export function packingAlternatives(sites: number, plainModulus: bigint, fewestValueBits: number): PackingChoice[] {
  const found: PackingChoice[] = [];
  for (let digits = 1; ; digits++) {
    const choice = widestPacking(sites, digits, plainModulus);
    if (choice === undefined || choice.valueBits < fewestValueBits) return found;
    found.push(choice);
  }
}

/** Bits of n(2^v − 1): wider digits only push those above them towards t. */
function narrowestDigit(sites: number, valueBits: number): number {
  return (BigInt(sites) * ((1n << BigInt(valueBits)) - 1n)).toString(2).length;
}

/**
 * 'auto' keeps 3 digits of 19 bits and takes the widest values. A number of bits takes the narrowest digits that hold n of them, as many as fit: the bits of
 * a ciphertext coefficient do not depend on what is packed in it, so most values to a coefficient are fewest bytes, and of several digit widths that
 * give as many the narrowest is as good as any.
 */
export function choosePacking(sites: number, valueBits: number | 'auto', plainModulus: bigint): PackingChoice {
  if (BigInt(sites) * ((1n << BigInt(EXACT_BITS)) - 1n) >= plainModulus) {
    throw new ConsortiumBudgetError(
      'packing-does-not-fit',
      `${sites} exact integers of ${EXACT_BITS} bits reach ${BigInt(sites) << BigInt(EXACT_BITS)}, beyond the plaintext modulus ${plainModulus}.`,
    );
  }
  if (valueBits === 'auto') {
    for (let bits = AUTO.digitBits; bits >= 1; bits--) {
      const choice = { ...AUTO, valueBits: bits };
      if (packingFits(choice, sites, plainModulus)) return choice;
    }
    throw new ConsortiumBudgetError('packing-does-not-fit', `No value width fits ${AUTO.digitBits}-bit digits for ${sites} sites.`);
  }
  requireWhole('valueBits', valueBits, 1, MAX_VALUE_BITS);
  const digit = BigInt(sites) * ((1n << BigInt(valueBits)) - 1n);
  const digitBits = narrowestDigit(sites, valueBits);
  let digitsPerCoefficient = 0;
  while (packingFits({ digitsPerCoefficient: digitsPerCoefficient + 1, digitBits, valueBits }, sites, plainModulus)) digitsPerCoefficient++;
  if (digitsPerCoefficient === 0) {
    throw new ConsortiumBudgetError(
      'packing-does-not-fit',
      `A sum of ${sites} values of ${valueBits} bits reaches ${digit}, beyond the plaintext modulus ${plainModulus}: use fewer value bits.`,
    );
  }
  return { digitsPerCoefficient, digitBits, valueBits };
}
