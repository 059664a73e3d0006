import { type Predicate, type PredicateName, parseStatement } from '@coferment/consortium';
import type { DsseEnvelope } from '@coferment/crypto';
import type { ActRow } from './act.entity.js';

/** An accepted act with its content. */
export interface Act<N extends PredicateName = PredicateName> {
  name: N;
  site: string;
  slot: string;
  digest: string;
  envelope: DsseEnvelope;
  predicate: Predicate<N>;
  receivedMs: number;
}

/** The signed acts of one run, by what they are. Acts are only ever added. */
export class ActIndex {
  readonly #bySite = new Map<string, Act>();
  /** Acts of all sites: a long run of many sites has tens of thousands of acts of one name, and every poll asks of some. */
  readonly #bySlot = new Map<string, Act[]>();
  /** What sites refused, in the order in which they told it. */
  readonly refusals: Act<'instruction-refused'>[] = [];
  /** Of all acts. */
  readonly digests = new Set<string>();
  #lastSequence = 0;
  #lastReceivedMs = 0;

  /**
   * The signatures were verified when the acts were accepted. Two readers of one run may bring the same rows: each act is added once, or a site would be
   * counted twice.
   */
  add(rows: readonly ActRow[]): void {
    for (const row of rows) {
      if (row.sequence <= this.#lastSequence) continue;
      const { name, site, slot, digest, envelope, receivedMs } = row;
      const { predicate } = parseStatement(Buffer.from(envelope.payload, 'base64'));
      const act: Act = { name, site, slot, digest, envelope, predicate, receivedMs };
      this.digests.add(digest);
      if (name === 'instruction-refused') this.refusals.push(act as Act<'instruction-refused'>);
      this.#bySite.set(keyOf(name, site, slot), act);
      const ofAll = this.#bySlot.get(slotOf(name, slot));
      if (ofAll === undefined) this.#bySlot.set(slotOf(name, slot), [act]);
      else ofAll.push(act);
      this.#lastSequence = row.sequence;
      this.#lastReceivedMs = Math.max(this.#lastReceivedMs, receivedMs);
    }
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** When the newest act came; 0 before the first. */
  get lastReceivedMs(): number {
    return this.#lastReceivedMs;
  }

  find<N extends PredicateName>(name: N, site: string, slot: string): Act<N> | undefined {
    return this.#bySite.get(keyOf(name, site, slot)) as Act<N> | undefined;
  }

  has(name: PredicateName, site: string, slot: string): boolean {
    return this.#bySite.has(keyOf(name, site, slot));
  }

  /** Acts of a name in one slot, in site order. */
  inSlot<N extends PredicateName>(name: N, slot: string): Act<N>[] {
    const acts = (this.#bySlot.get(slotOf(name, slot)) ?? []) as Act<N>[];
    return acts.toSorted((a, b) => (a.site < b.site ? -1 : 1));
  }
}

function slotOf(name: string, slot: string): string {
  return `${name} ${slot}`;
}

function keyOf(name: string, site: string, slot: string): string {
  return `${name} ${site} ${slot}`;
}
