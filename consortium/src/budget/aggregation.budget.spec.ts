import { committeeConstants, parameterSet } from '@coferment/crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestDrop, planAggregation, requirePlannedAggregation, smudgingBits, worstNoise } from './aggregation.budget.js';
import { explainAggregation } from './aggregation.explanation.js';
import { choosePacking, packingFits } from './packing.choice.js';

const standard = parameterSet('STANDARD');

describe('planAggregation when the numbers do not work out', () => {
  it.each([
    [{ sites: 0, keyHolders: 3, threshold: 2 }, 'number of sites is 0'],
    [{ sites: 512, keyHolders: 3, threshold: 2 }, 'number of sites is 512'],
    [{ sites: 4, keyHolders: 5, threshold: 4 }, 'number of key holders is 5'],
    [{ sites: 5, keyHolders: 5, threshold: 6 }, 'threshold 6'],
    [{ sites: 20, keyHolders: 13, threshold: 9 }, '13'],
    [{ sites: 5, keyHolders: 5, threshold: 4, valueBits: 33 }, 'valueBits is 33'],
    [{ sites: 511, keyHolders: 12, threshold: 7 }, 'takes 179 of 180 bits of q and must leave 2'],
  ])('refuses %j', (choice, message) => {
    expect(() => planAggregation(choice)).toThrow(message);
  });

  it('refuses parameters that drop one bit more than fits', () => {
    const planned = planAggregation({ sites: 7, keyHolders: 7, threshold: 5 });
    const greedy = { ...planned, droppedBits: planned.droppedBits + 1, keptBits: planned.keptBits - 1 };
    expect(() => requirePlannedAggregation(planned)).not.toThrow();
    expect(() => requirePlannedAggregation(greedy)).toThrow(`droppedBits is ${greedy.droppedBits}`);
  });
});

describe('the published table', () => {
  it.each([
    [3, 3, [62, 64, 67]],
    [4, 3, [65, 67, 70]],
    [5, 4, [68, 69, 72]],
    [7, 5, [75, 76, 79]],
    [10, 7, [85, 86, 89]],
    [12, 9, [93, 93, 96]],
  ])('keeps the published bits for (%i, %i) at κ = 64', (m, threshold, kept) => {
    const committee = committeeConstants(m, threshold);
    const found = [m, 16, 128].map((sites) => 180 - largestDrop(committee, standard, sites, smudgingBits(sites, 64, committee))!);
    expect(found).toEqual(kept);
  });

  it.each([
    [3, 3, 80],
    [4, 3, 80],
    [5, 4, 80],
    [6, 5, 80],
    [7, 5, 80],
    [8, 6, 80],
    [9, 7, 80],
    [10, 7, 77],
    [11, 8, 69],
    [12, 9, 65],
  ])('takes the published κ for (%i, %i) and 128 sites', (keyHolders, threshold, kappa) => {
    expect(planAggregation({ sites: 128, keyHolders, threshold }).kappa).toBe(kappa);
  });

  it('packs 3 digits of 19 bits with 19 − ⌈log2 n⌉ value bits', () => {
    for (const sites of [3, 5, 8, 16, 17, 64, 100, 128, 511]) {
      const { digitsPerCoefficient, digitBits, valueBits } = planAggregation({ sites, keyHolders: 3, threshold: 3 });
      expect([digitsPerCoefficient, digitBits, valueBits]).toEqual([3, 19, 19 - Math.ceil(Math.log2(sites))]);
    }
  });
});

describe('the numbers the crypto tests use', () => {
  it.each([
    [3, 3, 80, 85, 118, 17],
    [4, 3, 80, 89, 115, 17],
    [5, 4, 80, 91, 112, 16],
    [7, 5, 80, 97, 105, 16],
    [8, 4, 80, 98, 104, 16],
    [12, 9, 67, 102, 87, 15],
  ])('are planned for (%i, %i)', (sites, threshold, kappa, bits, droppedBits, valueBits) => {
    for (const set of ['STANDARD', 'INSECURE_TEST_1024'] as const) {
      const planned = planAggregation({ sites, keyHolders: sites, threshold, set });
      expect(planned).toMatchObject({ set, kappa, smudgingBits: bits, droppedBits, keptBits: 180 - droppedBits, valueBits });
    }
  });
});

describe('the noise budget', () => {
  it('drops as many bits as fit and no more, for every committee and size that is accepted', () => {
    for (const [keyHolders, threshold] of [
      [3, 2],
      [3, 3],
      [5, 4],
      [7, 5],
      [9, 7],
      [12, 9],
    ] as const) {
      for (const sites of [Math.max(3, keyHolders), 16, 100]) {
        const committee = committeeConstants(keyHolders, threshold);
        const plan = planAggregation({ sites, keyHolders, threshold });
        expect(worstNoise(committee, standard, plan)).toBeLessThan(standard.modulus);
        expect(worstNoise(committee, standard, { ...plan, droppedBits: plan.droppedBits + 1 })).toBeGreaterThanOrEqual(standard.modulus);
        expect(plan.keptBits + plan.droppedBits).toBe(180);
      }
    }
  });

  it('takes the smallest b that drowns the encryption noise', () => {
    const committee = committeeConstants(7, 5);
    const needed = 3n * 106n * 16n * (committee.maxDrown << 80n) ** 2n;
    const b = BigInt(smudgingBits(16, 80, committee));
    expect(10n * (4n ** b - 1n)).toBeGreaterThanOrEqual(needed);
    expect(10n * (4n ** (b - 1n) - 1n)).toBeLessThan(needed);
  });
});

describe('packing', () => {
  it('is decided by the sum of the digits, not by k·w against log2 t', () => {
    // 3 × 19 = 57 bits, and yet one site with 19-bit values fills t completely.
    expect(packingFits({ digitsPerCoefficient: 3, digitBits: 19, valueBits: 19 }, 1, standard.plainModulus)).toBe(false);
    expect(packingFits({ digitsPerCoefficient: 3, digitBits: 19, valueBits: 15 }, 16, standard.plainModulus)).toBe(true);
    expect(packingFits({ digitsPerCoefficient: 3, digitBits: 19, valueBits: 15 }, 17, standard.plainModulus)).toBe(false);
  });

  it('always gives digits that fit and cannot take one more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 511 }), fc.integer({ min: 1, max: 32 }), (sites, valueBits) => {
        const choice = choosePacking(sites, valueBits, standard.plainModulus);
        const more = { ...choice, digitsPerCoefficient: choice.digitsPerCoefficient + 1 };
        return packingFits(choice, sites, standard.plainModulus) && !packingFits(more, sites, standard.plainModulus);
      }),
    );
  });
});

describe('explainAggregation', () => {
  it('gives bytes a parameter and the advantage over an epoch', () => {
    const plan = planAggregation({ sites: 16, keyHolders: 7, threshold: 5 });
    const explained = explainAggregation(plan, { shape: { packed: 2 ** 10 * 24576 - 3, exact: 0 }, sums: 2 ** 10 });
    expect(explained).toMatchObject({ valuesPerBlock: 24576, blocksPerEpoch: 2 ** 20, L1: 72n, worstL2: 140n });
    expect(explained.bytesPerParameter).toBeCloseTo(3.17, 2);
    expect(explained.distinguishingAdvantageLog2).toBeCloseTo(-63.68, 1);
  });

  it('gives the bytes of a small model as they are, not those of a block', () => {
    const plan = planAggregation({ sites: 3, keyHolders: 3, threshold: 3 });
    const explained = explainAggregation(plan, { shape: { packed: 15, exact: 4 }, sums: 10 });
    // 5 coefficients of three values, 4 exact ones and the check, 62 bits each; a share has 101 of 180 bits, and every plane of it ends at a byte.
    expect(explained).toMatchObject({ blocksPerSum: 1, uploadBytesPerSum: 78, shareBytesPerSum: 127, bytesPerParameter: 78 / 15 });
    const larger = explainAggregation(plan, { shape: { packed: 961, exact: 4 }, sums: 10 });
    expect(larger).toMatchObject({ uploadBytesPerSum: 2527, shareBytesPerSum: 4116 });
    // Fewer coefficients opened tell less.
    expect(explained.distinguishingAdvantageLog2).toBeLessThan(larger.distinguishingAdvantageLog2);
  });

  it('refuses a vector without packed values', () => {
    const plan = planAggregation({ sites: 3, keyHolders: 3, threshold: 3 });
    expect(() => explainAggregation(plan, { shape: { packed: 0, exact: 4 }, sums: 1 })).toThrow('packed values');
  });

  it('refuses an epoch of more than 2^20 blocks', () => {
    const plan = planAggregation({ sites: 3, keyHolders: 3, threshold: 3 });
    expect(() => explainAggregation(plan, { shape: { packed: 2 ** 10 * 24576 - 3, exact: 0 }, sums: 2 ** 10 + 1 })).toThrow('1049600');
  });
});
