import type { VerifierKey } from '@coferment/ledger';
import type { CheckpointOffer } from './checkpoint.offer.js';

/** How long witnesses are waited for before the next checkpoint is offered. */
export const OFFER_MS = 10_000;
/** Of which late cosignatures are still taken, beside the one with its quorum and the published one. */
const MOST_OFFERS = 8;

/** The checkpoints that were offered to witnesses lately: one at a time, each larger than the one before. What others are shown of it never shrinks. */
export class OfferSequence {
  #offers: CheckpointOffer[] = [];
  #witnessed: CheckpointOffer | undefined;
  #published: CheckpointOffer | undefined;

  /** @param offerMs how long one is waited for */
  constructor(private readonly offerMs: number = OFFER_MS) {}

  /** The newest. */
  get current(): CheckpointOffer | undefined {
    return this.#offers.at(-1);
  }

  /** All that are kept, the smallest first. */
  get offers(): readonly CheckpointOffer[] {
    return this.#offers;
  }

  /** The newest that has its quorum. */
  get witnessed(): CheckpointOffer | undefined {
    this.#witnessed = this.#offers.findLast(({ isMet }) => isMet) ?? this.#witnessed;
    return this.#witnessed;
  }

  /**
   * The newest that has its quorum, or cannot get it. One that was offered in vain is shown only while none has ever had its quorum: whoever asks for
   * cosignatures would otherwise be left with nothing as soon as witnesses are away for the time of one offer.
   */
  published(nowMs: number): CheckpointOffer | undefined {
    const ended = this.#offers.findLast((offer) => this.hasEnded(offer, nowMs));
    const shown = ended?.isReachable === true ? (this.witnessed ?? ended) : ended;
    // Neither a late quorum of a smaller one nor a clock that is put back takes back what was shown.
    if (shown !== undefined && shown.size >= (this.#published?.size ?? 0)) this.#published = shown;
    return this.#published;
  }

  /**
   * What a witness is asked to cosign next beyond the entries that it has seen: first the one that is nearest to its quorum, the newer of two as near, and then
   * the current one. Witnesses that come at different times would otherwise each cosign another checkpoint, and none would ever have its quorum.
   */
  owed(key: VerifierKey, seen: number): CheckpointOffer | undefined {
    const owed = this.#offers.filter((offer) => offer.size > seen && !offer.isFull && !offer.isCosignedBy(key));
    const outdone = this.witnessed?.size ?? 0;
    const [nearest] = owed
      .filter((offer) => offer.size > outdone && offer.counted > 0 && !offer.isMet && offer.isReachable && offer.hasElector(key))
      .toSorted((a, b) => missing(a) - missing(b) || b.size - a.size);
    return nearest ?? owed.find((offer) => offer === this.current);
  }

  /** @param text what was cosigned */
  find(text: string): CheckpointOffer | undefined {
    return this.#offers.find((offer) => offer.text === text);
  }

  ofSize(size: number): CheckpointOffer | undefined {
    return this.#offers.find((offer) => offer.size === size);
  }

  hasEnded(offer: CheckpointOffer, nowMs: number): boolean {
    return offer.isMet || !offer.isReachable || this.restMs(offer, nowMs) === 0;
  }

  /** How long the offer is still waited for, in milliseconds. */
  restMs({ beganMs }: Pick<CheckpointOffer, 'beganMs'>, nowMs: number): number {
    // One of the future, by a clock that was put back, is not waited for.
    return nowMs < beganMs ? 0 : Math.max(beganMs + this.offerMs - nowMs, 0);
  }

  /** Whether a checkpoint of so many entries is to be offered now. */
  isDue(size: number, nowMs: number): boolean {
    return this.current === undefined || (size > this.current.size && this.hasEnded(this.current, nowMs));
  }

  /** Takes over which offers are kept, after another coordinator has offered or dropped some. @param shown the largest that any has shown */
  follow(kept: readonly CheckpointOffer[], shown: CheckpointOffer | undefined): void {
    this.#offers = kept.toSorted((a, b) => a.size - b.size);
    if (shown !== undefined && shown.size > (this.#published?.size ?? 0)) this.#published = shown;
  }

  /**
   * @param wasShown by a process of before, although it had no quorum
   * @returns sizes of those that are not kept any longer
   */
  begin(offer: CheckpointOffer, nowMs: number, wasShown = false): number[] {
    this.#offers.push(offer);
    if (wasShown) this.#published = offer;
    const kept = new Set([...this.#offers.slice(-MOST_OFFERS), this.witnessed, this.published(nowMs)]);
    const dropped = this.#offers.filter((known) => !kept.has(known));
    this.#offers = this.#offers.filter((known) => kept.has(known));
    return dropped.map(({ size }) => size);
  }
}

function missing({ electorate, counted }: CheckpointOffer): number {
  return electorate.quorum - counted;
}
