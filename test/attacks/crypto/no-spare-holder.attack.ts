import { coefficientCount, digest, loadCrypto, packVector, shareBytes, unpackSum, xof } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleUpdate, HonestEpoch } from '../controls/epoch.fixture.js';
import { modulo, type Slots, slotsOf } from '../controls/ring.fixture.js';
import { randomElement } from './malicious-dealer.fixture.js';

/*
 * A committee without a spare holder, (3, 3).
 * Who: one site (random upload), or one key holder (random share), or the last key holder together with the coordinator. What they hold: the last one sees
 * all uploads and the others' shares before it answers.
 * What they get: garbage never opens. A share that is AIMED opens to a sum of the attackers' choosing: with τ = m there is no relation among shares to
 * break. That is a documented limit of small committees (SECURITY.md), shown here, with what a spare holder changes.
 */

const K = digest('no-spare-holder');
let epoch: HonestEpoch;

beforeAll(async () => {
  await loadCrypto();
  epoch = new HonestEpoch({ sites: 3, keyHolders: 3, threshold: 3 });
});

const shape = { packed: 600, exact: 4 };

function vectorOf(site: string, { parameters } = epoch): BigUint64Array {
  return packVector(shape, parameters, exampleUpdate(site, shape.packed, parameters), [8n, 5n, 100n, 7n]);
}

function honestRound(of: HonestEpoch) {
  const coefficients = coefficientCount(shape, of.parameters);
  const request = { k: K, sites: of.sites, coefficients };
  const vectors = of.sites.map((site) => vectorOf(site, of));
  const uploads = of.sites.map((site, index) => of.encrypt(site, K, vectors[index]!));
  const expected = vectors[0]!.map((_, index) => vectors.reduce((sum, vector) => sum + vector[index]!, 0n));
  return { coefficients, request, uploads, expected, shares: of.releaseAll(of.holders, request) };
}

/** What the holder adds to its share so that the sum opens as `wanted` more than it is: Δ·(L1·L2·wanted) over its own decoding weight. */
function aimedLie(of: HonestEpoch, holder: number, wanted: readonly bigint[]): Slots {
  const { ring, committee } = of;
  const { scale, weights, holders } = committee.decodingSets[0]!;
  const weight = weights[holders.indexOf(holder)]!;
  const lie = Array.from({ length: ring.degree }, (_, index) => {
    const lifted = ring.lifted((wanted[index] ?? 0n) * committee.L1 * scale);
    return modulo(lifted * ring.ratio(1n, weight), ring.q);
  });
  return ring.toSlots(lie);
}

describe('under (3, 3)', () => {
  it('a random share from any holder garbles the sum', () => {
    const { coefficients, request, uploads, shares } = honestRound(epoch);
    for (const holder of epoch.holders) {
      const keyShareSum = new Uint8Array(randomElement(epoch.ring).buffer);
      const random = epoch.release(holder, { ...request, keyShareSum });
      expect(random.length).toBe(shareBytes(coefficients, epoch.parameters));
      expect(epoch.open(uploads, coefficients, new Map([...shares, [holder, random]]))).toEqual({ ok: false, reason: 'residual' });
    }
  });

  it('a random upload from any site garbles the sum', () => {
    const { coefficients, uploads, shares } = honestRound(epoch);
    for (const site of [0, 1, 2]) {
      const random = epoch.uploadOf(randomElement(epoch.ring), K, coefficients);
      expect(epoch.open(uploads.with(site, random), coefficients, shares)).toEqual({ ok: false, reason: 'residual' });
    }
  });

  it('LIMIT: an aimed share opens to any sum the attackers choose, and every check of the sum passes', () => {
    const { coefficients, request, uploads, shares, expected } = honestRound(epoch);
    const { parameters, ring } = epoch;
    const stream = xof('the sum the attackers want');
    const range = BigInt(2 ** parameters.valueBits - 1);
    const target = expected.map((value, index) => {
      if (index >= shape.packed / parameters.digitsPerCoefficient) return value;
      return [0n, 1n, 2n].reduce((sum, digit) => sum + (stream.uniformBelow(3n * range) << (digit * BigInt(parameters.digitBits))), 0n);
    });
    const holder = 2;
    const lie = aimedLie(
      epoch,
      holder,
      Array.from(target, (value, index) => modulo(value - expected[index]!, ring.t)),
    );
    const keyShareSum = epoch.lyingKeyShare(holder, epoch.sites, K, lie);
    const aimed = epoch.release(holder, { ...request, keyShareSum });
    const opened = epoch.open(uploads, coefficients, new Map([...shares, [holder, aimed]]));
    expect(opened).toEqual({ ok: true, coefficients: target });
    expect(() => unpackSum(shape, parameters, target, 3)).not.toThrow();
  });
});

describe('with one spare holder, (4, 3)', () => {
  it('the same aimed share is detected as soon as the fourth share is there', () => {
    const spare = new HonestEpoch({ sites: 4, keyHolders: 4, threshold: 3 });
    const { coefficients, request, uploads, shares, expected } = honestRound(spare);
    const holder = 2;
    const keyShareSum = spare.lyingKeyShare(
      holder,
      spare.sites,
      K,
      aimedLie(
        spare,
        holder,
        Array.from(expected, () => 1n),
      ),
    );
    const lying = new Map([...shares, [holder, spare.release(holder, { ...request, keyShareSum })]]);
    const three = new Map([...lying].slice(0, 3));
    // A coordinator that shows three of four shares still gets its sum; one that shows all four does not.
    expect(spare.open(uploads, coefficients, three)).toEqual({ ok: true, coefficients: expected.map((value) => value + 1n) });
    expect(spare.open(uploads, coefficients, lying)).toEqual({ ok: false, reason: 'parity' });
    expect(slotsOf(keyShareSum).length).toBe(3 * spare.ring.degree);
  });
});
