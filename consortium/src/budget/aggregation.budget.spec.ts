import {
  type AggregationParameters,
  ciphertextBytes,
  coefficientCount,
  committeeConstants,
  parameterSet,
  shareBytes,
} from '@coferment/crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planAggregation, requirePlannedAggregation } from './aggregation.budget.js';
import { explainAggregation } from './aggregation.explanation.js';
import { budgetSteps, log2 } from './budget.steps.js';
import { latticeSecurity } from './lattice.security.js';
import { largestDrop, largestKappa, largestShareDrop, noiseBeforeDropping, smudgingBits, worstNoise } from './noise.budget.js';
import { choosePacking, packingAlternatives, packingFits, widestPacking } from './packing.choice.js';

const standard = parameterSet('STANDARD');

describe('planAggregation when the numbers do not work out', () => {
  it.each([
    [{ sites: 0, keyHolders: 3, threshold: 2 }, 'number of sites is 0'],
    [{ sites: 512, keyHolders: 3, threshold: 2 }, 'number of sites is 512'],
    [{ sites: 4, keyHolders: 5, threshold: 4 }, 'number of key holders is 5'],
    [{ sites: 5, keyHolders: 5, threshold: 6 }, 'threshold 6'],
    [{ sites: 20, keyHolders: 13, threshold: 9 }, '13'],
    [{ sites: 5, keyHolders: 5, threshold: 4, valueBits: 33 }, 'valueBits is 33'],
    [{ sites: 511, keyHolders: 12, threshold: 7 }, 'takes 181 bits and must be below q, which has 180 (1 too many)'],
  ])('refuses %j', (choice, message) => {
    expect(() => planAggregation(choice)).toThrow(message);
  });

  it('refuses parameters that drop one bit more than fits', () => {
    const planned = planAggregation({ sites: 7, keyHolders: 7, threshold: 5 });
    const greedy = { ...planned, droppedBits: planned.droppedBits + 1, keptBits: planned.keptBits - 1 };
    expect(() => requirePlannedAggregation(planned)).not.toThrow();
    expect(() => requirePlannedAggregation(greedy)).toThrow(`droppedBits is ${greedy.droppedBits}`);
    // Both sides of the inequality that fails.
    const noise = worstNoise(committeeConstants(7, 5), standard, greedy);
    expect(() => requirePlannedAggregation(greedy)).toThrow(
      `= ${noise} for the worst set of key holders, and must be below q = ${standard.modulus}`,
    );
  });

  it.each([
    ['shareDroppedBits', 1],
    ['shareDroppedBits', -1],
    ['kappa', 1],
    ['kappa', -1],
    ['smudgingBits', -1],
    ['valueBits', 1],
    ['keptBits', 1],
    ['droppedBits', Number.NaN],
    ['shareDroppedBits', -200],
    ['smudgingBits', 0.5],
  ] as const)('refuses parameters whose %s is off by %d', (name, change) => {
    const planned = planAggregation({ sites: 12, keyHolders: 12, threshold: 9 });
    const changed = { ...planned, [name]: planned[name] + change };
    expect(() => requirePlannedAggregation(changed)).toThrow(`${name} is ${changed[name]}`);
  });

  it('refuses one site more than fits, at the very site', () => {
    const choice = { keyHolders: 12, threshold: 7 };
    const committee = committeeConstants(12, 7);
    let most = 12;
    while (noiseBeforeDropping(committee, standard, most + 1, 64) < standard.modulus) most++;
    expect(planAggregation({ sites: most, ...choice }).kappa).toBe(64);
    const beyond = noiseBeforeDropping(committee, standard, most + 1, 64);
    expect(() => planAggregation({ sites: most + 1, ...choice })).toThrow(`${beyond} ≥ ${standard.modulus}`);
    // Every other committee takes 511 sites, and 48-bit integers of 512 would reach beyond t.
    expect(() => planAggregation({ sites: 511, keyHolders: 12, threshold: 9 })).not.toThrow();
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
  it('takes the largest κ, then the largest d, then the largest d′, for every committee and size that is accepted', () => {
    let planned = 0;
    for (let keyHolders = 2; keyHolders <= 12; keyHolders++) {
      for (let threshold = 2; threshold <= keyHolders; threshold++) {
        const committee = committeeConstants(keyHolders, threshold);
        for (const sites of [keyHolders, 16, 100, 128].filter((count) => count >= keyHolders)) {
          const plan = planAggregation({ sites, keyHolders, threshold });
          const noise = (change: Partial<AggregationParameters>) => worstNoise(committee, standard, { ...plan, ...change });
          const { kappa, droppedBits, shareDroppedBits } = plan;
          if (kappa < 80) expect(noiseBeforeDropping(committee, standard, sites, kappa + 1)).toBeGreaterThanOrEqual(standard.modulus);
          expect(noise({})).toBeLessThan(standard.modulus);
          expect(noise({ droppedBits: droppedBits + 1, shareDroppedBits: 0 })).toBeGreaterThanOrEqual(standard.modulus);
          const more = noise({ shareDroppedBits: shareDroppedBits + 1 }) >= standard.modulus;
          expect(more || shareDroppedBits === plan.smudgingBits - 6).toBe(true);
          expect(plan.keptBits + droppedBits).toBe(180);
          planned++;
        }
      }
    }
    expect(planned).toBe(264);
  });

  it('lets a share drop less where the budget is nearly full, and an upload nothing for it', () => {
    const committee = committeeConstants(5, 4);
    // Smudging that takes nearly all of q: no d is left to speak of, and d′ has to give way.
    const q = {
      ...standard,
      modulus: worstNoise(committee, standard, { sites: 5, smudgingBits: 91, droppedBits: 40, shareDroppedBits: 70 }) + 1n,
    };
    expect(largestDrop(committee, q, 5, 91)).toBeGreaterThanOrEqual(40);
    const beside = { sites: 5, smudgingBits: 91, droppedBits: largestDrop(committee, q, 5, 91)! };
    const dropped = largestShareDrop(committee, q, beside);
    expect(dropped).toBeLessThan(85);
    expect(worstNoise(committee, q, { ...beside, shareDroppedBits: dropped })).toBeLessThan(q.modulus);
    expect(worstNoise(committee, q, { ...beside, shareDroppedBits: dropped + 1 })).toBeGreaterThanOrEqual(q.modulus);
    expect(largestDrop(committee, { ...standard, modulus: 2n ** 60n }, 5, 91)).toBeUndefined();
    expect(largestKappa(committee, { ...standard, modulus: 2n ** 60n }, 5)).toBeUndefined();
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
  it('fills t to the last sum that fits', () => {
    const choice = { digitsPerCoefficient: 1, digitBits: 41, valueBits: 32 };
    const reached = 511n * (2n ** 32n - 1n);
    expect(packingFits(choice, 511, reached + 1n)).toBe(true);
    expect(packingFits(choice, 511, reached)).toBe(false);
    const two = { digitsPerCoefficient: 2, digitBits: 28, valueBits: 25 };
    const both = 7n * (2n ** 25n - 1n) * (1n + 2n ** 28n);
    expect(packingFits(two, 7, both + 1n)).toBe(true);
    expect(packingFits(two, 7, both)).toBe(false);
    // Eight sites fill the digit itself: 8·(2^25 − 1) < 2^28, nine do not fit it.
    expect(packingFits(two, 8, standard.plainModulus)).toBe(true);
    expect(packingFits(two, 9, standard.plainModulus)).toBe(false);
  });

  it('of any number of values to a coefficient has no wider values and no wider digits that fit', () => {
    for (const sites of [3, 5, 16, 100, 511]) {
      for (const found of packingAlternatives(sites, standard.plainModulus, 2)) {
        const { digitsPerCoefficient, valueBits } = found;
        expect(packingFits(found, sites, standard.plainModulus)).toBe(true);
        if (valueBits === 32) continue;
        for (let digitBits = 1; digitBits <= 57; digitBits++) {
          expect(packingFits({ digitsPerCoefficient, digitBits, valueBits: valueBits + 1 }, sites, standard.plainModulus)).toBe(false);
        }
      }
      // The default is the widest of three to a coefficient.
      const { valueBits } = choosePacking(sites, 'auto', standard.plainModulus);
      expect(widestPacking(sites, 3, standard.plainModulus)?.valueBits).toBe(valueBits);
    }
    expect(widestPacking(511, 30, standard.plainModulus)).toBeUndefined();
  });

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

describe('the steps of the budget', () => {
  it('say what one more would take', () => {
    const steps = budgetSteps(planAggregation({ sites: 128, keyHolders: 12, threshold: 9 }));
    const named = Object.fromEntries(steps.map((step) => [step.name, step]));
    expect(named['kappa']).toMatchObject({ value: 65, because: expect.stringMatching(/^66 takes 180\.\d\d of 180\.00 bits$/) as string });
    expect(named['droppedBits']!.oneMore).toBeGreaterThan(180);
    expect(named['valueBits']).toMatchObject({ value: 12, rule: expect.stringContaining('2^w') as string });
    expect(named['shareDroppedBits']!.because).toContain('2^6 times below the smudging');
    // Where the digits have room, t itself is the limit.
    const [packing] = budgetSteps({ ...planAggregation({ sites: 4, keyHolders: 3, threshold: 3 }), valueBits: 16 });
    expect(packing).toMatchObject({ rule: expect.stringContaining('< t') as string });
    expect(log2(1n << 300n)).toBe(300);
  });

  it('put a set beside the tables, and one for tests beyond them', () => {
    expect(latticeSecurity('STANDARD').within).toEqual({ classical128: true, postQuantum128: true });
    expect(latticeSecurity('INSECURE_TEST_1024').within).toEqual({ classical128: false, postQuantum128: false });
  });
});

describe('explainAggregation', () => {
  it('gives bytes a parameter and the advantage over an epoch', () => {
    const plan = planAggregation({ sites: 16, keyHolders: 7, threshold: 5 });
    const explained = explainAggregation(plan, { shape: { packed: 2 ** 10 * 24576 - 3, exact: 0 }, sums: 2 ** 10 });
    expect(explained).toMatchObject({ blocksPerSum: 2 ** 10, blocksPerEpoch: 2 ** 20 });
    expect(explained.bytesPerParameter).toBeCloseTo(3.17, 2);
    expect(explained.distinguishingAdvantageLog2).toBeCloseTo(-63.68, 1);
    expect(explained.mostDistinguishingAdvantageLog2).toBeCloseTo(-63.68, 1);
  });

  it('gives the bytes of a small model as they are, not those of a block', () => {
    const plan = planAggregation({ sites: 3, keyHolders: 3, threshold: 3 });
    const explained = explainAggregation(plan, { shape: { packed: 15, exact: 4 }, sums: 10 });
    // 5 coefficients of three values, 4 exact ones and the check, 62 bits each; a share has 101 of 180 bits, and every plane of it ends at a byte.
    const bytesOf = (packed: number): number[] => {
      const coefficients = coefficientCount({ packed, exact: 4 }, plan);
      return [ciphertextBytes(coefficients, plan), shareBytes(coefficients, plan)];
    };
    expect(explained).toMatchObject({ blocksPerSum: 1, bytesPerParameter: 78 / 15 });
    expect(bytesOf(15)).toEqual([78, 127]);
    const larger = explainAggregation(plan, { shape: { packed: 961, exact: 4 }, sums: 10 });
    expect(larger.bytesPerParameter).toBe(2527 / 961);
    expect(bytesOf(961)).toEqual([2527, 4116]);
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
