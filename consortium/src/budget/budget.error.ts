export type ConsortiumBudgetErrorCode = 'invalid-number' | 'quorum-impossible' | 'packing-does-not-fit' | 'noise-does-not-fit';

/** A plan whose numbers do not work out; the message carries the numbers. */
export class ConsortiumBudgetError extends Error {
  constructor(
    readonly code: ConsortiumBudgetErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'ConsortiumBudgetError';
  }
}

export function requireWhole(name: string, value: number, low: number, high: number): void {
  if (!Number.isSafeInteger(value) || value < low || value > high) {
    throw new ConsortiumBudgetError('invalid-number', `${name} is ${value}; it must be a whole number from ${low} to ${high}.`);
  }
}
