import { checkDealing, type Combination, type Dealing, digest, encryptVector, loadCrypto } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { HonestEpoch } from '../controls/epoch.fixture.js';
import { bytesOf, type Slots } from '../controls/ring.fixture.js';
import { craftDealing, randomElement, refusals, valueAt } from './malicious-dealer.fixture.js';

/*
 * Dealings that are consistent and yet not what they should be.
 * Who: a dealer, alone. What it holds: the choice of its own polynomial and of the key it encrypts with.
 * What it wants: to hurt the others: to read them, to spoil sums later without being named, or to make an honest key holder look bad.
 * What it gets: its own key is its own matter. No choice of it changes what a sum over others shows. What it can spoil shows at its own confirmation, before
 * any training. A share of zero, with which its holder could release nothing, is refused like a wrong one.
 */

const K = digest('dealer-tricks');
const DEALER = 'site-01';
const OTHERS = ['site-00', 'site-02', 'site-03', 'site-04'];
const LENGTH = 200;

beforeAll(loadCrypto);

const uniform = ({ ring }: HonestEpoch, count: number): Slots[] => Array.from({ length: count }, () => randomElement(ring));

/** What honest holders answer to a dealing, by position. */
function refusedBy({ e0, parameters }: HonestEpoch, dealing: Dealing): Map<number, string> {
  const { commitments, masked, privateShares } = dealing;
  return refusals(dealing, (holderIndex) =>
    checkDealing({ e0, dealer: DEALER, holderIndex, parameters, commitments, masked, privateShare: privateShares[holderIndex]! }),
  );
}

/** (5, 4) with one dealer that is not honest; throws the first refusal of an honest holder. */
function epochWith(make: (epoch: HonestEpoch) => Dealing): HonestEpoch {
  return new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4, dealers: { [DEALER]: make } });
}

const vectorOf = (site: string): BigUint64Array =>
  BigUint64Array.from({ length: LENGTH }, (_, index) => BigInt(index * 31 + Number(site.slice(-1)) * 1000));

/** The sum over `sites`, opened by all holders; `kind` confirm for one site alone. */
function opened(epoch: HonestEpoch, sites: readonly string[], kind = 'update'): Combination {
  const uploads = sites.map((site) => epoch.encrypt(site, K, vectorOf(site)));
  return epoch.open(uploads, LENGTH, epoch.releaseAll(epoch.holders, { k: K, sites, coefficients: LENGTH, kind }));
}

const sumOf = (sites: readonly string[]): Combination => ({
  ok: true,
  coefficients: vectorOf(sites[0]!).map((_, index) => sites.reduce((sum, site) => sum + vectorOf(site)[index]!, 0n)),
});

describe('a polynomial of higher degree', () => {
  it('is refused by the holders that the published polynomial does not reach', () => {
    const epoch = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4 });
    const dealing = craftDealing(epoch, { dealer: DEALER, polynomial: uniform(epoch, 5) });
    // Four values can be met by four coefficients; the fifth holder's cannot.
    expect(refusedBy(epoch, dealing)).toEqual(new Map([[4, 'dealing-refused']]));
  });

  it('passes under (3, 3), where any three values are on a polynomial, and shows at the confirmation', () => {
    const make = (epoch: HonestEpoch): Dealing => craftDealing(epoch, { dealer: DEALER, polynomial: uniform(epoch, 5) });
    const epoch = new HonestEpoch({ sites: 3, keyHolders: 3, threshold: 3, dealers: { [DEALER]: make } });
    expect(opened(epoch, [DEALER], 'confirm')).toEqual({ ok: false, reason: 'residual' });
    expect(opened(epoch, ['site-00'], 'confirm')).toEqual(sumOf(['site-00']));
  });
});

describe('another key in the shares than the one it encrypts with', () => {
  it('passes the dealing, shows at the confirmation, and never touches a sum over the others', () => {
    const epoch = epochWith((made) =>
      craftDealing(made, { dealer: DEALER, polynomial: uniform(made, 4), secretKey: randomElement(made.ring) }),
    );
    expect(opened(epoch, [DEALER], 'confirm')).toEqual({ ok: false, reason: 'residual' });
    expect(opened(epoch, [...OTHERS, DEALER].toSorted())).toEqual({ ok: false, reason: 'residual' });
    expect(opened(epoch, OTHERS)).toEqual(sumOf(OTHERS));
  });

  it('off by a polynomial that only the dealer knows: garbled, not opened with an offset', () => {
    const epoch = epochWith((made) => {
      const key = randomElement(made.ring);
      const offset = made.ring.constant(1n);
      return craftDealing(made, { dealer: DEALER, polynomial: [made.ring.add(key, offset), ...uniform(made, 3)], secretKey: key });
    });
    // The sum is off by a·1: as random as a.
    expect(opened(epoch, [...OTHERS, DEALER].toSorted())).toEqual({ ok: false, reason: 'residual' });
  });
});

describe('a key that is not ternary', () => {
  it.each([
    ['uniform in R_q', (epoch: HonestEpoch) => randomElement(epoch.ring)],
    ['the constant one', (epoch: HonestEpoch) => epoch.ring.constant(1n)],
    ['a huge constant', (epoch: HonestEpoch) => epoch.ring.constant(epoch.ring.q / 2n)],
  ] as const)('%s hurts nobody but its owner: sums are exact', (_, key) => {
    const epoch = epochWith((made) => craftDealing(made, { dealer: DEALER, polynomial: [key(made), ...uniform(made, 3)] }));
    const all = [...OTHERS, DEALER].toSorted();
    expect(opened(epoch, all)).toEqual(sumOf(all));
    expect(opened(epoch, OTHERS)).toEqual(sumOf(OTHERS));
  });

  it('zero: the owner sends its values in the clear, and the others stay hidden', () => {
    const epoch = epochWith((made) => craftDealing(made, { dealer: DEALER, polynomial: [made.ring.constant(0n), ...uniform(made, 3)] }));
    const { ring, parameters } = epoch;
    const zero = { parameters, k: K, secretKey: bytesOf(ring.constant(0n)), coefficients: vectorOf(DEALER) };
    expect(() => encryptVector(zero)).toThrow(expect.objectContaining({ code: 'out-of-range' }) as Error);
    const bare = epoch.uploadOf(
      ring.toSlots(Array.from({ length: ring.degree }, (_, i) => ring.lifted(vectorOf(DEALER)[i] ?? 0n))),
      K,
      LENGTH,
    );
    const all = [...OTHERS, DEALER].toSorted();
    const uploads = all.map((site) => (site === DEALER ? bare : epoch.encrypt(site, K, vectorOf(site))));
    const shares = epoch.releaseAll(epoch.holders, { k: K, sites: all, coefficients: LENGTH });
    expect(epoch.open(uploads, LENGTH, shares)).toEqual(sumOf(all));
  });
});

describe('a share that is zero at the point of one holder', () => {
  /** S(x) = (x − α)·P(x): zero at α, uniform elsewhere. */
  function rootAt(epoch: HonestEpoch, holder: number): Slots[] {
    const { ring, committee } = epoch;
    const factor = uniform(epoch, 3);
    const point = BigInt(committee.points[holder]!);
    const polynomial = [...factor, ring.constant(0n)].map((_, degree) =>
      ring.add(factor[degree - 1] ?? ring.constant(0n), factor[degree] ?? ring.constant(0n), -point),
    );
    expect(valueAt(ring, polynomial, committee.points[holder]!).every((word) => word === 0n)).toBe(true);
    return polynomial;
  }

  it('would leave an honest holder unable to answer for the confirmation of that dealer', () => {
    const epoch = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4 });
    const request = { k: K, sites: [DEALER], coefficients: LENGTH, kind: 'confirm', keyShareSum: bytesOf(epoch.ring.constant(0n)) };
    // The honest holder is the one that would seem to fail; under m = τ the epoch would be stuck on it.
    expect(() => epoch.release(2, request)).toThrow(expect.objectContaining({ code: 'out-of-range' }) as Error);
  });

  it('is refused by exactly that holder, so the pair is named before anything is encrypted', () => {
    const epoch = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4 });
    const dealing = craftDealing(epoch, { dealer: DEALER, polynomial: rootAt(epoch, 2) });
    expect(refusedBy(epoch, dealing)).toEqual(new Map([[2, 'dealing-refused']]));
  });
});
