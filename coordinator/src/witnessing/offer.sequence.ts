import type { CheckpointOffer } from './checkpoint.offer.js';

/** How long witnesses are waited for before the next checkpoint is offered and this one is published as it is. */
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

  /** The newest that has its quorum, cannot get it, or was offered in vain for long enough. */
  published(nowMs: number): CheckpointOffer | undefined {
    const ended = this.#offers.findLast((offer) => this.hasEnded(offer, nowMs));
    // A clock that is put back must not take back what was shown.
    if (ended !== undefined && ended.size >= (this.#published?.size ?? 0)) this.#published = ended;
    return this.#published;
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

  /** @returns sizes of those that are not kept any longer */
  begin(offer: CheckpointOffer, nowMs: number): number[] {
    this.#offers.push(offer);
    const kept = new Set([...this.#offers.slice(-MOST_OFFERS), this.witnessed, this.published(nowMs)]);
    const dropped = this.#offers.filter((known) => !kept.has(known));
    this.#offers = this.#offers.filter((known) => kept.has(known));
    return dropped.map(({ size }) => size);
  }
}
