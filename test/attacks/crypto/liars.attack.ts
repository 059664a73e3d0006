import { type Combination, digest, loadCrypto, parityWeights } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { HonestEpoch } from '../controls/epoch.fixture.js';
import { bytesOf, type Slots, slotsOf } from '../controls/ring.fixture.js';
import { randomElement } from './malicious-dealer.fixture.js';

/*
 * Key holders who answer wrongly.
 * Who: one or two of m key holders. What they hold: their own key shares. They release well-formed shares that are off by what they like.
 * What they want: another sum than the true one, or a round that fails without anybody knowing through whom.
 * What they meet: with f wrong shares the parity relations fail once τ + f shares have arrived, and the senders are named once τ + 2f have. The lie itself
 * is put through the product's own release: a key share that is off by lie/(L1·a) gives a share that is off by exactly the lie.
 */

const K = digest('liars');
const ALL_WRONG = 'in all coefficients';
const ONE_WRONG = 'in one coefficient';
type Extent = typeof ALL_WRONG | typeof ONE_WRONG;

beforeAll(loadCrypto);

class Committee {
  readonly epoch: HonestEpoch;
  readonly #uploads: Uint8Array[];
  readonly #shares: Map<number, Uint8Array>;
  readonly expected: BigUint64Array;
  readonly #request;

  constructor(m: number, threshold: number) {
    this.epoch = new HonestEpoch({ sites: m, keyHolders: m, threshold });
    const { sites, ring } = this.epoch;
    const vector = new BigUint64Array(ring.degree).fill(777n);
    this.#request = { k: K, sites, coefficients: ring.degree };
    this.#uploads = sites.map((site) => this.epoch.encrypt(site, K, vector));
    this.#shares = this.epoch.releaseAll(this.epoch.holders, this.#request);
    this.expected = vector.map((value) => value * BigInt(m));
  }

  /** Far above any noise, and no simple fraction of q (see parity-blind-spot.attack.ts). */
  lie(extent: Extent): Slots {
    const { ring } = this.epoch;
    return extent === ALL_WRONG
      ? randomElement(ring)
      : ring.toSlots(Array.from({ length: ring.degree }, (_, i) => (i === 5 ? (ring.q * 2718n) / 10_000n : 0n)));
  }

  /** What the coordinator makes of the first `count` holders' shares, some of them off by a lie. */
  outcome(count: number, lies: ReadonlyMap<number, Slots>): Combination {
    const { epoch } = this;
    const shares = new Map([...this.#shares].slice(0, count));
    for (const [holder, lie] of lies) {
      const keyShareSum = epoch.lyingKeyShare(holder, epoch.sites, K, lie);
      shares.set(holder, epoch.release(holder, { ...this.#request, keyShareSum }));
    }
    return epoch.open(this.#uploads, epoch.ring.degree, shares);
  }

  /** Two lies that cancel in the relation over the first τ + 1 holders. */
  agreed([first, second]: readonly [number, number]): Map<number, Slots> {
    const { ring, committee } = this.epoch;
    const holders = this.epoch.holders.slice(0, committee.threshold + 1);
    const weights = parityWeights(committee.points, holders);
    const lie = randomElement(ring);
    return new Map([
      [first, ring.scale(lie, weights[second]!)],
      [second, ring.scale(lie, -weights[first]!)],
    ]);
  }
}

describe.each([
  [4, 3],
  [5, 4],
  [6, 4],
  [7, 5],
  [8, 5],
])('one liar under (%i, %i)', (m, threshold) => {
  let committee: Committee;
  beforeAll(() => {
    committee = new Committee(m, threshold);
  });

  it.each([ALL_WRONG, ONE_WRONG] as const)('is noticed at τ, detected at τ + 1 and named at τ + 2, wrong %s', (extent) => {
    expect(committee.outcome(m, new Map())).toEqual({ ok: true, coefficients: committee.expected });
    for (const liar of extent === ALL_WRONG ? [0, threshold - 1] : [1]) {
      const lies = new Map([[liar, committee.lie(extent)]]);
      expect(committee.outcome(threshold, lies)).toEqual({ ok: false, reason: 'residual' });
      expect(committee.outcome(threshold + 1, lies)).toEqual({ ok: false, reason: 'parity' });
      if (m >= threshold + 2) expect(committee.outcome(threshold + 2, lies)).toEqual({ ok: false, reason: 'parity', wrong: [liar] });
    }
  });
});

describe.each([
  [6, 4],
  [7, 5],
  [8, 4],
  [9, 5],
])('two liars who agree under (%i, %i)', (m, threshold) => {
  it('are missed by parity at τ + 1 (not by the residual), detected at τ + 2, named at τ + 4, and nothing is ever opened', () => {
    const committee = new Committee(m, threshold);
    const liars = [1, threshold] as const;
    const lies = committee.agreed(liars);
    expect(committee.outcome(threshold + 1, lies)).toEqual({ ok: false, reason: 'residual' });
    expect(committee.outcome(threshold + 2, lies)).toEqual({ ok: false, reason: 'parity' });
    if (m >= threshold + 4) expect(committee.outcome(threshold + 4, lies)).toEqual({ ok: false, reason: 'parity', wrong: [...liars] });
  });
});

describe('the lies of these tests', () => {
  it('are what reaches the coordinator: an honest share comes out of an honest key share the same way', () => {
    const { epoch } = new Committee(4, 3);
    const nothing = epoch.ring.constant(0n);
    expect(epoch.lyingKeyShare(2, epoch.sites, K, nothing)).toEqual(epoch.keyShareSum(2, epoch.sites));
    expect(bytesOf(slotsOf(epoch.keyShareSum(2, epoch.sites)))).toEqual(epoch.keyShareSum(2, epoch.sites));
  });
});
