import { EXACT_BITS } from '@coferment/crypto';
import { ConsortiumBudgetError, requireWhole } from './budget.error.js';

export interface PackingChoice {
  digitsPerCoefficient: number;
  digitBits: number;
  valueBits: number;
}

const AUTO = { digitsPerCoefficient: 3, digitBits: 19 };

/** n(2^v − 1) < 2^w and n(2^v − 1)·Σ_{i<k} 2^(wi) < t. The shorter k·w ≤ log2 t is not the condition. */
export function packingFits(choice: PackingChoice, sites: number, plainModulus: bigint): boolean {
  const digit = BigInt(sites) * ((1n << BigInt(choice.valueBits)) - 1n);
  let coefficient = 0n;
  for (let i = 0; i < choice.digitsPerCoefficient; i++) coefficient += digit << BigInt(choice.digitBits * i);
  return digit < 1n << BigInt(choice.digitBits) && coefficient < plainModulus;
}

/** 'auto' keeps 3 digits of 19 bits and takes the widest values; a number takes the narrowest digits that hold n of them, as many as fit. */
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
  requireWhole('valueBits', valueBits, 1, 32);
  const digit = BigInt(sites) * ((1n << BigInt(valueBits)) - 1n);
  const digitBits = digit.toString(2).length;
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
