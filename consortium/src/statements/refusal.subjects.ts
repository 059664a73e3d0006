/** What an `instruction-refused` is about: the site says it in the words that the coordinator looks for. */
export const refusalSubjects = {
  /** The approval of a run of a plan. */
  plan: (ordinal: number): string => `plan ${ordinal}`,
  /** One instruction in a key epoch, or about a sum. */
  step: (instruction: string, epochOrSum: number): string => `${instruction} ${epochOrSum}`,
  /** Every further round. */
  rounds: 'rounds',
  /** Another set for a sum that cannot complete. */
  newSet: 'new set',
} as const;
