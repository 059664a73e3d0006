import type { Predicate, PredicateName, SumKind } from '@coferment/consortium';
import type { Recorded } from './evidence.js';
import type { FactIndex } from './fact.index.js';

/** Acts in which the operator says what becomes of a sum, before it has a result. */
const wordNames = ['round-frozen', 'round-abandoned', 'round-garbled', 'round-stuck'] as const satisfies readonly PredicateName[];
export type WordName = (typeof wordNames)[number];

export function isWord(recorded: Recorded): recorded is Recorded<WordName> {
  return (wordNames as readonly PredicateName[]).includes(recorded.name);
}

/** What the operator has said of sums, in a few dozen bytes for each. */
export class SumWords {
  constructor(private readonly facts: FactIndex) {}

  take({ name, predicate, index }: Recorded<WordName>): void {
    const { run, sum } = predicate;
    if (this.facts.note(wordFact(run, sum), index) === index) this.facts.note(wordedAs(predicate), index);
    if (name === 'round-abandoned') this.facts.note(abandonedFact(run, sum), index);
  }

  isAbandoned(run: string, sum: number): boolean {
    return this.facts.has(abandonedFact(run, sum));
  }

  /** The entry that first said of which kind and E the sum is, where that was another one than here. */
  firstOther(predicate: Predicate<WordName>): number | undefined {
    return this.facts.has(wordedAs(predicate)) ? undefined : this.facts.first(wordFact(predicate.run, predicate.sum));
  }
}

const abandonedFact = (run: string, sum: number) => `abandoned ${run} ${sum}`;
const wordFact = (run: string, sum: number) => `word ${run} ${sum}`;
const wordedAs = ({ run, sum, kind, e }: { run: string; sum: number; kind: SumKind; e: string }) => `${wordFact(run, sum)} ${kind} ${e}`;
