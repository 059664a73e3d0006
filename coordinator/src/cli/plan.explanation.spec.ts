import { describe, expect, it } from 'vitest';
import { explanationText } from './plan.explanation.text.js';
import { explainPlan } from './plan.explanation.js';

const plan = (more = ''): string => `schema: 1
plan: p
sample: { of: [temperature, ph], summarise: [last, mean] }
target: { variable: product_concentration }
model: { kind: mlp, hidden: [32, 16] }
rounds: 10
${more}`;

describe('a plan that does not come to anything', () => {
  it.each([
    ['weighting: { by: sample }', 5, 'weighting.by'],
    ['privacy: { keyHolders: 5, threshold: 3, collusionBound: 3 }', 7, 'Raise the threshold to 4'],
    ['quorum: { minContributors: 3 }', 9, 'Use at least 6'],
    ['privacy: { collusionBound: 4, keyHolders: 5, threshold: 5 }', 4, 'number of key holders is 5'],
    ['', 512, '512'],
    ['', 129, 'list at most 128'],
    ['', Number.NaN, 'NaN'],
    ['privacy: { keyHolders: 12, threshold: 7 }', 511, '181 bits and must be below q, which has 180'],
  ])('is refused with the numbers: %s among %d sites', (more, sites, message) => {
    expect(() => explainPlan(plan(more), sites)).toThrow(message);
  });
});

describe('plan explain', () => {
  it('gives every choice with both sides of its inequality', () => {
    const { choices, parameters } = explainPlan(plan(), 16);
    expect(choices.map(({ name, value }) => [name, value])).toEqual([
      ['valueBits', 15],
      ['kappa', 80],
      ['droppedBits', parameters.droppedBits],
      ['shareDroppedBits', parameters.shareDroppedBits],
    ]);
    for (const { uses, limit, oneMore, because } of choices) {
      expect(uses).toBeLessThan(limit);
      if (oneMore !== null) expect(oneMore).toBeGreaterThanOrEqual(limit);
      expect(because).not.toBe('');
    }
  });

  it('says which number of sites the colluding ones cannot see apart', () => {
    const { collusion, numbers } = explainPlan(plan(), 7);
    expect(numbers).toMatchObject({ n: 7, c: 3, tau: 5, rho: 6, minContributors: 5 });
    expect(collusion.cannot.join('\n')).toContain('at least 5 sites, so at least 2 others beside the 3');
    expect(collusion.cannot.join('\n')).toContain('2·6 − 7 = 5 signers, more than the 3');
    expect(collusion.cannot[0]).toContain('at least 2 honest key holders must release one');
    expect(collusion.can.join('\n')).toContain('2 sites that sign nothing, or 3 key holders that release nothing');
  });

  it('puts the lattice beside the limits of the standard', () => {
    expect(explainPlan(plan(), 3).lattice).toMatchObject({
      degree: 8192,
      ciphertextModulusBits: 180,
      contextModulusBits: 200,
      limits: { classical128: 218, postQuantum128: 202 },
      within: { classical128: true, postQuantum128: true },
    });
  });

  it('tells what is left of a value after weighting', () => {
    expect(explainPlan(plan(), 5).effectiveBits.meanSite).toEqual({ least: 14, most: 15 });
    expect(explainPlan(plan('weighting: { by: equal }'), 5).effectiveBits.meanSite).toEqual({ least: 16, most: 16 });
    expect(explainPlan(plan('weighting: { cap: 5000 }'), 5).effectiveBits).toMatchObject({ meanSite: null });
  });

  it('counts the bytes of every member', () => {
    const { traffic, parameters, packingOffers, bytesPerParameter } = explainPlan(plan(), 5);
    const { objects, site, keyHolder, coordinator } = traffic;
    // 5 inputs… (2 variables × 2 summaries) → 32 → 16 → 1: 705 parameters in 235 coefficients, four exact integers and the check.
    expect(objects.sum).toBe(240 * 8);
    expect(objects.upload).toBe((240 * parameters.keptBits) / 8);
    expect(objects.share).toBe((240 * (180 - parameters.shareDroppedBits)) / 8);
    expect(site).toMatchObject({ sends: objects.upload, receives: objects.sum + site.ofThatSpotCheck });
    expect(site.ofThatSpotCheck).toBe(5 * objects.upload + 5 * objects.share + 10 * 32);
    expect(keyHolder.sends).toBe(objects.upload + objects.share);
    expect(coordinator).toEqual({ receives: 5 * (objects.upload + objects.share), sends: 5 * site.receives });
    expect(packingOffers.find(({ valueBits }) => valueBits === parameters.valueBits)?.bytesPerParameter).toBe(bytesPerParameter);
  });

  it('takes the digits that a plan’s value bits allow', () => {
    const { parameters, choices, bytesPerParameter } = explainPlan(plan('quantisation: { valueBits: 11 }'), 5);
    expect(parameters).toMatchObject({ digitsPerCoefficient: 4, digitBits: 14, valueBits: 11 });
    expect(choices[0]).toMatchObject({ because: 'the plan asks for so many', oneMore: null });
    expect(bytesPerParameter).toBeLessThan(explainPlan(plan(), 5).bytesPerParameter);
  });

  it('reads as text that no terminal has to break', () => {
    const text = explanationText(explainPlan(plan(), 12));
    expect(text).toContain('128 bits post-quantum');
    expect(text).toMatch(/advantage 2\^-\d+\.\d over the whole run .* 2\^-\d+\.\d at 1048576 blocks/s);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(160);
  });
});
