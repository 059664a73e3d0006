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
  readonly #bySlot = new Map<string, Act>();
  readonly #byName = new Map<PredicateName, Act[]>();
  /** Of all acts. */
  readonly digests = new Set<string>();
  #lastSequence = 0;

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
      this.#bySlot.set(keyOf(name, site, slot), act);
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), act]);
      this.#lastSequence = row.sequence;
    }
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  find<N extends PredicateName>(name: N, site: string, slot: string): Act<N> | undefined {
    return this.#bySlot.get(keyOf(name, site, slot)) as Act<N> | undefined;
  }

  has(name: PredicateName, site: string, slot: string): boolean {
    return this.#bySlot.has(keyOf(name, site, slot));
  }

  /** Acts of a name in one slot, in site order. */
  inSlot<N extends PredicateName>(name: N, slot: string): Act<N>[] {
    const acts = (this.#byName.get(name) ?? []) as Act<N>[];
    return acts.filter((act) => act.slot === slot).sort((a, b) => (a.site < b.site ? -1 : 1));
  }
}

function keyOf(name: string, site: string, slot: string): string {
  return `${name} ${site} ${slot}`;
}
