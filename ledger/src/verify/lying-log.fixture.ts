import { type Predicate, type PredicateName, isOperatorStatement, parseStatement } from '@coferment/consortium';
import { signCheckpoint } from '../note/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import { LOG_SEED, ORIGIN, type SampleLedger, append, exportSample, operator } from './sample-ledger.fixture.js';

/**
 * A coordinator that lies: it has the log's key and the operator's and signs again whatever it can. What sites have signed it can only leave out, repeat or
 * move.
 */
export class LyingLog implements SampleLedger {
  readonly entries: Uint8Array[];
  readonly payloads: Uint8Array[];
  readonly names: PredicateName[];

  constructor(honest: SampleLedger) {
    this.entries = [...honest.entries];
    this.payloads = [...honest.payloads];
    this.names = [...honest.names];
  }

  /** The index of the first statement of this name that matches. */
  find<N extends PredicateName>(name: N, matches: (predicate: Predicate<N>) => boolean = () => true): number {
    const index = this.names.findIndex((found, position) => found === name && matches(this.predicate(name, position)));
    if (index < 0) throw new Error(`the log has no such ${name}`);
    return index;
  }

  predicate<N extends PredicateName>(name: N, index: number): Predicate<N> {
    if (this.names[index] !== name) throw new Error(`entry ${index} is no ${name}`);
    return parseStatement(this.payloads[index]!).predicate as Predicate<N>;
  }

  /** Only for its own acts: it has no key of a site. */
  rewrite<N extends PredicateName>(name: N, index: number, change: (predicate: Predicate<N>) => Partial<Predicate<N>>): this {
    const before = this.predicate(name, index);
    this.drop(index);
    return this.insert(index, name, { ...before, ...change(before) });
  }

  insert<N extends PredicateName>(index: number, name: N, predicate: Predicate<N>): this {
    if (!isOperatorStatement(name)) throw new Error(`the operator cannot sign a ${name}`);
    append(this, name, predicate, operator);
    return this.move(this.entries.length - 1, index);
  }

  drop(index: number): this {
    for (const list of [this.entries, this.payloads, this.names]) list.splice(index, 1);
    return this;
  }

  move(from: number, to: number): this {
    for (const list of [this.entries, this.payloads, this.names] as unknown[][]) list.splice(to, 0, ...list.splice(from, 1));
    return this;
  }

  /** What its key signs for the first entries. */
  checkpoint(size: number = this.entries.length): string {
    const root = new MerkleTree(this.entries.map(leafHash)).root(BigInt(size));
    return signCheckpoint({ origin: ORIGIN, size: BigInt(size), root }, LOG_SEED);
  }

  /** An export of the first entries. */
  files(size: number = this.entries.length): Promise<Map<string, Uint8Array>> {
    const [entries, payloads, names] = [this.entries.slice(0, size), this.payloads.slice(0, size), this.names.slice(0, size)];
    return exportSample({ entries, payloads, names });
  }
}
