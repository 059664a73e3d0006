import { coefficientCount, type Combination, digest, loadCrypto, packVector, sumCiphertexts, unpackSum, xof } from '@coferment/crypto';
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { HonestEpoch } from '../controls/epoch.fixture.js';
import { modulo, readPlanes, readTotal, writePlanes } from '../controls/ring.fixture.js';

/*
 * Bytes that no honest member sends.
 * Who: a site or a key holder. What it holds: the wire format. It sends bytes with something in the spare bits, of another length, at the very ends of
 * what fits, or garbage that spares the places that are checked.
 * What it wants: two encodings of one upload (two Merkle roots for one value), a sum that overflows, or garbage that is applied.
 */

const K = digest('upload-tricks');
const LENGTH = 301;
let epoch: HonestEpoch;
let honest: Uint8Array[];
let shares: Map<number, Uint8Array>;

beforeAll(async () => {
  await loadCrypto();
  epoch = new HonestEpoch({ sites: 5, keyHolders: 5, threshold: 4 });
  const vector = new BigUint64Array(LENGTH).fill(99n);
  honest = epoch.sites.map((site) => epoch.encrypt(site, K, vector));
  shares = epoch.releaseAll(epoch.holders, { k: K, sites: epoch.sites, coefficients: LENGTH });
});

const malformed = expect.objectContaining({ code: 'malformed' }) as Error;
const sum = (uploads: readonly Uint8Array[]) => sumCiphertexts(uploads, LENGTH, epoch.parameters);
const shareBits = (): number => epoch.ring.q.toString(2).length - epoch.parameters.shareDroppedBits;

/** Last byte of each plane of `used` coefficients that has spare bits, and how many bits of it are used. */
function spareBits(bits: number, used: number): { at: number; taken: number }[] {
  const rest = [16, 8, 4, 2, 1].filter((width) => ((bits % 32) & width) !== 0);
  let at = Math.floor(bits / 32) * 4 * used;
  return rest.flatMap((width) => {
    at += Math.ceil((used * width) / 8);
    const taken = (used * width) % 8;
    return taken === 0 ? [] : [{ at: at - 1, taken }];
  });
}

describe("the attackers' reading of the wire format", () => {
  it("is the product's: what they write back is what was sent", () => {
    const { keptBits } = epoch.parameters;
    expect(writePlanes(readPlanes(honest[0]!, LENGTH, keptBits), keptBits)).toEqual(honest[0]);
    expect(writePlanes(readPlanes(shares.get(0)!, LENGTH, shareBits()), shareBits())).toEqual(shares.get(0));
  });
});

describe('spare bits and lengths', () => {
  it('of an upload: any bit behind the last coefficient of any plane is refused', () => {
    const spare = spareBits(epoch.parameters.keptBits, LENGTH);
    expect(spare.length).toBeGreaterThan(0);
    for (const { at, taken } of spare) {
      for (let bit = taken; bit < 8; bit++) {
        const changed = honest[0]!.slice();
        changed[at]! |= 1 << bit;
        expect(() => sum([changed, ...honest.slice(1)])).toThrow(malformed);
      }
    }
  });

  it('of a share: the same', () => {
    const spare = spareBits(shareBits(), LENGTH);
    expect(spare.length).toBeGreaterThan(0);
    for (const { at, taken } of spare) {
      const changed = shares.get(2)!.slice();
      changed[at]! |= 1 << taken;
      expect(() => epoch.open(honest, LENGTH, new Map([...shares, [2, changed]]))).toThrow(malformed);
    }
  });

  it('one byte more or less, nothing, or twice the length are refused', () => {
    const [first] = honest as [Uint8Array];
    for (const length of [0, 1, first.length - 1, first.length + 1, 2 * first.length]) {
      const changed = new Uint8Array(length);
      changed.set(first.subarray(0, length));
      expect(() => sum([changed])).toThrow(malformed);
      expect(() => epoch.open(honest, LENGTH, new Map([...shares, [0, changed]]))).toThrow(malformed);
    }
  });
});

describe('coefficients at the ends of what fits', () => {
  it('of 128 uploads sum exactly, plane by plane', () => {
    const wide = { ...epoch.parameters, sites: 128 };
    const { keptBits, droppedBits } = wide;
    const top = (epoch.ring.q - 1n) >> BigInt(droppedBits);
    const stream = xof('extreme coefficients');
    const values = Array.from({ length: 128 }, (_, site) =>
      Array.from({ length: LENGTH }, (__, index) => [top, 0n, stream.uniformBelow(top + 1n), site % 2 === 0 ? top : 1n][index % 4]!),
    );
    const found = readTotal(
      sumCiphertexts(
        values.map((row) => writePlanes(row, keptBits)),
        LENGTH,
        wide,
      ),
    );
    const expected = Array.from({ length: LENGTH }, (_, index) => {
      const total = values.reduce((all, row) => all + row[index]!, 0n);
      return modulo((total << BigInt(droppedBits)) + 128n * (1n << BigInt(droppedBits - 1)), epoch.ring.q);
    });
    expect(found).toEqual(expected);
  });

  it('beyond q are refused', () => {
    const whole = { ...epoch.parameters, droppedBits: 0, keptBits: 180 };
    const row = (value: bigint) => writePlanes([...Array.from({ length: LENGTH - 1 }, () => 5n), value], 180);
    expect(() => sumCiphertexts([row(epoch.ring.q - 1n)], LENGTH, whole)).not.toThrow();
    for (const value of [epoch.ring.q, (1n << 180n) - 1n]) expect(() => sumCiphertexts([row(value)], LENGTH, whole)).toThrow(malformed);
  });
});

describe('garbage that spares the check coefficient', () => {
  const shape = { packed: 0, exact: 2 };

  /** A sum of the shortest kind (evaluate: two exact integers and the check), with the first coefficients of one upload random. */
  function opening(garbage: number): Combination {
    const { parameters, sites } = epoch;
    const vector = packVector(shape, parameters, new Uint32Array(), [5n, 100n]);
    const coefficients = coefficientCount(shape, parameters);
    expect(coefficients).toBe(3);
    const uploads = sites.map((site) => epoch.encrypt(site, K, vector));
    const { keptBits } = parameters;
    const values = readPlanes(uploads[0]!, coefficients, keptBits).map((value, index) =>
      index < garbage ? BigInt.asUintN(keptBits, BigInt(`0x${randomBytes(24).toString('hex')}`)) : value,
    );
    const sent = [writePlanes(values, keptBits), ...uploads.slice(1)];
    return epoch.open(sent, coefficients, epoch.releaseAll([0, 1, 2, 3], { k: K, sites, coefficients }));
  }

  it('passes the noise bound now and then in so short a vector, and is never usable', () => {
    const tries = 60;
    let [within, usable] = [0, 0];
    for (let attempt = 0; attempt < tries; attempt++) {
      const result = opening(2);
      if (!result.ok) {
        expect(result.reason).toBe('residual');
        continue;
      }
      within++;
      try {
        unpackSum(shape, epoch.parameters, result.coefficients, 5);
        usable++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'out-of-range' });
      }
    }
    // Each coefficient is within the bound by chance with 2·t·bound/q, at most one in ten here; both with one in a hundred.
    expect(within).toBeLessThan(8);
    // What opens is uniform below t = 2^57; the two exact sums may be 5·2^48: 1 in 10,000 of those.
    expect(usable).toBe(0);
    expect(opening(0).ok).toBe(true);
  });
});
