import {
  checkDealing,
  deal,
  type Dealing,
  digest,
  generateSealingKey,
  loadCrypto,
  openDealingShare,
  sealedDealingShare,
  sumKeyShares,
} from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleUpdate, HonestEpoch } from '../controls/epoch.fixture.js';
import { correlation } from '../controls/measure.fixture.js';
import { type AttackerRing, type Slots, slotsOf } from '../controls/ring.fixture.js';
import { craftDealing, randomElement, refusals } from './malicious-dealer.fixture.js';

/*
 * Dealings that are wrong, moved or copied.
 * Who: a dealer, with the coordinator and up to τ − 1 key holders. What they hold: all public parts, and the boxes on their way.
 * What they want: a holder that takes a wrong share (the sum is garbled later, and nobody knows why), or a victim's key under the dealer's own name: then
 * copies of the victim's upload count as the dealer's, and drown the others in the sum.
 */

const DEALER = 'site-01';
let epoch: HonestEpoch;

beforeAll(async () => {
  await loadCrypto();
  epoch = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4 });
});

function refusedBy(dealing: Dealing, as: { e0?: string; dealer?: string; at?: (holder: number) => number } = {}): Map<number, string> {
  const { e0 = epoch.e0, dealer = DEALER, at = (holder) => holder } = as;
  const { commitments, masked, privateShares } = dealing;
  return refusals(dealing, (holder) =>
    checkDealing({
      e0,
      dealer,
      holderIndex: at(holder),
      parameters: epoch.parameters,
      commitments,
      masked,
      privateShare: privateShares[holder]!,
    }),
  );
}

const polynomial = (ring: AttackerRing): Slots[] => [slotsOf(epoch.secretKey(DEALER)), ...[1, 2, 3].map(() => randomElement(ring))];

describe('a share that is wrong in one coefficient of one prime', () => {
  /** X^index modulo one prime, zero modulo the others. */
  function onePlace(ring: AttackerRing, prime: number, index: number): Slots {
    const place = ring.toSlots(Array.from({ length: ring.degree }, (_, i) => (i === index ? 1n : 0n)));
    return place.map((value, slot) => (Math.floor(slot / ring.degree) === prime ? value : 0n));
  }

  it('is refused by exactly the holder that got it, whoever that is', () => {
    const { ring } = epoch;
    expect(refusedBy(craftDealing(epoch, { dealer: DEALER, polynomial: polynomial(ring) }))).toEqual(new Map());
    for (const victim of epoch.holders) {
      const wrong = onePlace(ring, victim % 3, 37 * victim);
      const dealing = craftDealing(epoch, {
        dealer: DEALER,
        polynomial: polynomial(ring),
        tampered: (holder, value) => (holder === victim ? ring.add(value, wrong) : value),
      });
      expect(refusedBy(dealing)).toEqual(new Map([[victim, 'dealing-refused']]));
    }
  });

  it('is refused by exactly that holder when it is wrong in one slot of the transform', () => {
    const { ring } = epoch;
    const dealing = craftDealing(epoch, {
      dealer: DEALER,
      polynomial: polynomial(ring),
      tampered: (holder, value) =>
        holder === 3 ? value.map((word, slot) => (slot === 2 * ring.degree ? (word === 0n ? 1n : word - 1n) : word)) : value,
    });
    expect(refusedBy(dealing)).toEqual(new Map([[3, 'dealing-refused']]));
  });
});

describe('a dealing that is moved', () => {
  it('to another run or epoch, another site, or another holder is refused by every holder', () => {
    const dealing = deal({ e0: epoch.e0, dealer: DEALER, parameters: epoch.parameters });
    const all = new Map(epoch.holders.map((holder) => [holder, 'dealing-refused']));
    expect(refusedBy(dealing)).toEqual(new Map());
    expect(refusedBy(dealing, { e0: digest('another run') })).toEqual(all);
    expect(refusedBy(dealing, { dealer: 'site-02' })).toEqual(all);
    expect(refusedBy(dealing, { at: (holder) => (holder + 1) % 5 })).toEqual(all);
  });

  it('in its box to another epoch, dealer or holder does not open', () => {
    const [dealer, holder, stranger] = [generateSealingKey(), generateSealingKey(), generateSealingKey()];
    const label = { e0: epoch.e0, dealer: DEALER, holder: 'site-00' };
    const share = epoch.dealings.get(DEALER)!.privateShares[0]!;
    const box = sealedDealingShare(label, share, holder.publicKey, dealer);
    expect(openDealingShare(label, box, dealer.publicKey, holder)).toEqual(share);
    const shut = expect.objectContaining({ code: 'sealed-open-failed' }) as Error;
    expect(() => openDealingShare({ ...label, e0: digest('another run') }, box, dealer.publicKey, holder)).toThrow(shut);
    expect(() => openDealingShare({ ...label, dealer: 'site-02' }, box, dealer.publicKey, holder)).toThrow(shut);
    expect(() => openDealingShare({ ...label, holder: 'site-03' }, box, dealer.publicKey, holder)).toThrow(shut);
    // Filed under a colluder's name, whose key signed nothing in it.
    expect(() => openDealingShare({ ...label, dealer: 'site-02' }, box, stranger.publicKey, holder)).toThrow(shut);
    // Sealed anonymously: by a key made for this box, as `crypto_box_seal` does.
    const anonymous = sealedDealingShare(label, share, holder.publicKey, generateSealingKey());
    expect(() => openDealingShare(label, anonymous, dealer.publicKey, holder)).toThrow(shut);
  });
});

describe('colluders who deal the key of a victim as their own', () => {
  const VICTIM = 'site-00';
  const OTHER = 'site-01';
  const COLLUDERS = ['site-02', 'site-03'];
  const K = digest('copied-dealing');
  const update = (site: string): BigUint64Array =>
    BigUint64Array.from(exampleUpdate(site, epoch.ring.degree, epoch.parameters), (value) => BigInt(value));
  const uploads = (): [Uint8Array, Uint8Array] =>
    [VICTIM, OTHER].map((site) => epoch.encrypt(site, K, update(site))) as [Uint8Array, Uint8Array];

  function opened(keys: (holder: number) => Uint8Array, sent: readonly Uint8Array[]) {
    const coefficients = epoch.ring.degree;
    const sites = [VICTIM, OTHER, ...COLLUDERS];
    const shares = new Map(
      epoch.holders.map((holder) => [holder, epoch.release(holder, { k: K, sites, coefficients, keyShareSum: keys(holder) })]),
    );
    return epoch.open(sent, coefficients, shares);
  }

  it('raise its update over the others where boxes are anonymous: correlation 0.95 instead of 0.5', () => {
    // Every holder has "checked" three dealings with the same key in them; each colluder then sends the victim's upload as its own.
    const [copied, other] = uploads();
    const keys = (holder: number): Uint8Array => sumKeyShares([VICTIM, OTHER, VICTIM, VICTIM].map((site) => epoch.keyShare(holder, site)));
    const result = opened(keys, [copied, other, copied, copied]);
    if (!result.ok) throw new Error(result.reason);
    const sum = Array.from(result.coefficients, Number);
    expect(correlation(sum, Array.from(update(VICTIM), Number))).toBeGreaterThan(0.93);
    const honest = [VICTIM, OTHER, 'site-02', 'site-03'].map(update);
    const fair = Array.from(honest[0]!, (_, index) => honest.reduce((total, vector) => total + Number(vector[index]!), 0));
    expect(correlation(fair, Array.from(update(VICTIM), Number))).toBeLessThan(0.6);
  });

  it('are refused in ours, and a copied upload under a key of their own opens to nothing', () => {
    const dealing = epoch.dealings.get(VICTIM)!;
    for (const dealer of COLLUDERS) {
      expect(refusedBy(dealing, { dealer })).toEqual(new Map(epoch.holders.map((holder) => [holder, 'dealing-refused'])));
    }
    const [copied, other] = uploads();
    const keys = (holder: number): Uint8Array => epoch.keyShareSum(holder, [VICTIM, OTHER, ...COLLUDERS]);
    expect(opened(keys, [copied, other, copied, copied])).toEqual({ ok: false, reason: 'residual' });
  });
});
