import { type AggregationParameters, coefficientCount, digest, loadCrypto, packVector, unpackSum, xof } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { exampleUpdate, HonestEpoch } from './epoch.fixture.js';
import { agreement, correlation } from './measure.fixture.js';
import { type Coefficients, readUpload, type Slots, slotsOf } from './ring.fixture.js';

/*
 * Collective-key extraction.
 * Who: one malicious site, and whoever reads the published sum. What they hold: nothing but the public key of the consortium.
 * Weakened design: all sites encrypt under ONE public key, the sum of everybody's (Mouchet et al., PETS 2021); a ciphertext is a pair (c0, c1), and holders
 * open c0 + c1·s. The site sends (0, ⌊q/t⌋·B): its "message" is B·s, and the honest smudging noise hides no bit of it.
 * What they get: the collective key from one published sum, and with it every upload of that round.
 * Ours: an upload is one polynomial under the site's own key, with an a that comes from K. There is no second component to choose.
 */

const SITES = ['site-00', 'site-01', 'site-02'];
const K = digest('collective-key-attack');
const DEGREE = 8192;
let epoch: HonestEpoch;

beforeAll(async () => {
  await loadCrypto();
  epoch = new HonestEpoch({ sites: 3, keyHolders: 3, threshold: 3, set: 'STANDARD' });
});

const values = (parameters: AggregationParameters) => DEGREE * parameters.digitsPerCoefficient;
/** A whole block of updates, without the check coefficient: the weakened design has none. */
function blockOf(site: string): BigUint64Array {
  const { parameters } = epoch;
  const update = exampleUpdate(site, values(parameters), parameters);
  return packVector({ packed: update.length, exact: 0 }, parameters, update, []).subarray(0, DEGREE);
}

/** Smudging or encryption noise of the weakened design: centred, `bits` wide. */
function noise(label: string, bits: number): Slots {
  const stream = xof('collective-key-noise', label);
  const words = new BigUint64Array(stream.read(DEGREE * 16).buffer);
  const half = 1n << BigInt(bits - 1);
  return epoch.ring.toSlots(
    Array.from({ length: DEGREE }, (_, i) => BigInt.asUintN(bits, words[2 * i]! + (words[2 * i + 1]! << 64n)) - half),
  );
}

function ternary(label: string): Slots {
  const stream = xof('collective-key-randomness', label);
  return epoch.ring.toSlots(Array.from({ length: DEGREE }, () => stream.uniformBelow(3n) - 1n));
}

/** Collective key s = s_0 + s_1 + s_2, all holders needed to open: decrypts honest pairs and the attacker's together. */
function weakenedRound(attackers: { c0: Slots; c1: Slots }): { opened: Coefficients; c0OfVictim: Coefficients; c1OfVictim: Slots } {
  const { ring } = epoch;
  const keys = SITES.map((site) => slotsOf(epoch.secretKey(site)));
  const collective = keys.reduce((sum, key) => ring.add(sum, key));
  const a = ring.publicElement(digest('common-reference-string'));
  const b = ring.add(noise('public-key', 4), ring.multiply(a, collective), -1n);
  const honest = SITES.map((site) => {
    const u = ternary(site);
    const message = ring.toSlots(Array.from(blockOf(site), (value) => ring.lifted(value)));
    const c0 = ring.add(ring.add(ring.multiply(b, u), noise(`${site}-0`, 4)), message);
    return { c0, c1: ring.add(ring.multiply(a, u), noise(`${site}-1`, 4)) };
  });
  const [victim] = honest;
  const sum = [...honest, attackers].reduce((total, { c0, c1 }) => ({ c0: ring.add(total.c0, c0), c1: ring.add(total.c1, c1) }));
  const shares = keys.map((key, index) => ring.add(ring.multiply(sum.c1, key), noise(`smudging-${index}`, epoch.parameters.smudgingBits)));
  const x = shares.reduce((total, share) => ring.add(total, share), sum.c0);
  return {
    opened: ring.toCoefficients(x).map((value) => ring.rounded(value)),
    c0OfVictim: ring.toCoefficients(victim!.c0),
    c1OfVictim: victim!.c1,
  };
}

/** B·s stands out of the sum, where s is the sum of three ternary keys: seven clusters, one seventh of t apart, and updates near their zero point. */
const SPREAD = 7n;
function keyFrom(opened: Coefficients, offset: Coefficients): Coefficients {
  const { t } = epoch.ring;
  const factor = t / SPREAD;
  return opened.map((value, index) => {
    const rest = (((value - offset[index]! + factor / 2n) % t) + t) % t;
    const cluster = rest / factor;
    return cluster > 3n ? cluster - SPREAD : cluster;
  });
}

const middle = (): Coefficients => {
  const { parameters } = epoch;
  const zero = new Uint32Array(values(parameters)).fill(2 ** (parameters.valueBits - 1));
  return Array.from(packVector({ packed: zero.length, exact: 0 }, parameters, zero, []).subarray(0, DEGREE), (value) => value * 3n);
};

const collectiveKey = (): Coefficients => {
  const keys = SITES.map((site) => epoch.ternary(site));
  return keys[0]!.map((value, index) => value + keys[1]![index]! + keys[2]![index]!);
};

describe('one upload of (0, ⌊q/t⌋·B)', () => {
  it('gives the whole collective key under one public key, and with it an update', () => {
    const { ring, parameters } = epoch;
    const chosen = { c0: ring.constant(0n), c1: ring.constant((ring.q / ring.t) * (ring.t / SPREAD)) };
    const { opened, c0OfVictim, c1OfVictim } = weakenedRound(chosen);
    const stolen = keyFrom(opened, middle());
    // 8192 of 8192 coefficients, with honest smudging at full width.
    expect(agreement(stolen, collectiveKey())).toBe(1);
    const product = ring.toCoefficients(ring.multiply(c1OfVictim, ring.toSlots(stolen)));
    const message = BigUint64Array.from(c0OfVictim, (value, index) => ring.rounded(value + product[index]!));
    const read = message.map((value) => BigInt.asUintN(parameters.digitBits, value));
    const victim = blockOf(SITES[0]!).map((value) => BigInt.asUintN(parameters.digitBits, value));
    expect(agreement(read, victim)).toBe(1);
  });

  it('gives no coefficient of any key in ours', () => {
    const { ring, parameters } = epoch;
    const shape = { packed: values(parameters) - 2 * parameters.digitsPerCoefficient, exact: 1 };
    const coefficients = coefficientCount(shape, parameters);
    expect(coefficients).toBe(DEGREE);
    const vectors = SITES.map((site) => packVector(shape, parameters, exampleUpdate(site, shape.packed, parameters), [8n]));
    const uploads = SITES.map((site, index) => epoch.encrypt(site, K, vectors[index]!));
    const shares = epoch.releaseAll(epoch.holders, { k: K, sites: SITES, coefficients });
    const factor = ring.t / SPREAD;

    // The polynomial alone, without the attacker's own −a·s: a·s of its own key stays in the sum, and nothing opens.
    const bare = epoch.uploadOf(ring.constant(ring.lifted(factor)), K, coefficients);
    expect(epoch.open([bare, ...uploads.slice(1)], coefficients, shares)).toEqual({ ok: false, reason: 'residual' });

    // Hidden under its own key: what comes out is B itself in coefficient 0, a false value like any other, and no key.
    const false0 = vectors[0]!.map((value, index) => (index === 0 ? (value + factor) % ring.t : value));
    const opened = epoch.open([epoch.encrypt(SITES[0]!, K, false0), ...uploads.slice(1)], coefficients, shares);
    if (!opened.ok) throw new Error(opened.reason);
    const guess = keyFrom(Array.from(opened.coefficients), middle());
    const keys = [...SITES.map((site) => epoch.ternary(site)), collectiveKey()];
    for (const key of keys) {
      expect(Math.abs(correlation(guess.map(Number), key.map(Number)))).toBeLessThan(0.06);
    }
    expect(() => unpackSum(shape, parameters, opened.coefficients, 3)).toThrow('reach at most');

    // A copy of another's upload (a rushing site) is noise under every key but its owner's.
    expect(epoch.open([uploads[1]!, ...uploads.slice(1)], coefficients, shares)).toEqual({ ok: false, reason: 'residual' });
    const victim = readUpload(ring, uploads[1]!, coefficients, parameters);
    const read = victim.map((value) => Number(ring.rounded(value)));
    expect(Math.abs(correlation(read, Array.from(vectors[1]!, Number)))).toBeLessThan(0.06);
  });
});
