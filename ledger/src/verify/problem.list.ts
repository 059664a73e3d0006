import type { PredicateName } from '@coferment/consortium';
import type { CheckProblem } from './verification.report.js';

/** A ledger can be wrong in every entry; what is kept of that must not grow with it. */
const MAX_PROBLEMS = 1000;

export interface Place {
  readonly index: number;
  readonly name: PredicateName;
}

export function place({ index, name }: Place): string {
  return `entry ${index} (${name})`;
}

/** Collects what is wrong with one statement after another. */
export class ProblemList {
  readonly #first: CheckProblem[] = [];
  #further = 0;

  /** The first thousand, and how many more there are. */
  get problems(): CheckProblem[] {
    if (this.#further === 0) return this.#first;
    return [...this.#first, { where: 'further entries', problem: `${this.#further} more problems of this kind, which are not listed` }];
  }

  add(where: Place | string, problem: string): void {
    if (this.#first.length < MAX_PROBLEMS) this.#first.push({ where: typeof where === 'string' ? where : place(where), problem });
    else this.#further++;
  }

  /** Notes the problem unless the condition is met; tells whether it is. */
  require(condition: boolean, where: Place, problem: string): boolean {
    if (!condition) this.add(where, problem);
    return condition;
  }
}
