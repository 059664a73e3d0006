import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { committeeConstants } from '../committee/committee.constants.js';
import { xof } from '../hashing/stream.xof.js';
import { parameterSet, type AggregationParameters } from '../ring/parameter.set.js';
import { shareKeptBits } from '../shares/decryption.share.js';
import { blockOf, composedOf } from './block.integers.fixture.js';
import { openBlock, type BlockOpeningInput } from './block.opening.js';
import { doubledNoise } from './noise.bound.js';
import { judgeParity } from './parity.check.js';
import { plannedFor } from './scripted.committee.fixture.js';

const set = parameterSet('STANDARD');
const { modulus: q, plainModulus: t } = set;
const modulo = (value: bigint, by: bigint): bigint => ((value % by) + by) % by;

function inverseModulo(value: bigint, by: bigint): bigint {
  let [low, high, x, y] = [modulo(value, by), by, 1n, 0n];
  while (low > 1n) [low, high, x, y] = [high % low, low, y - (high / low) * x, x];
  return modulo(x, by);
}

/** A block of which the first τ holders' shares and the total give exactly these x. */
function blockFor(parameters: AggregationParameters, addends: number, x: readonly bigint[], seed: number): BlockOpeningInput {
  const { decodingSets, L1 } = committeeConstants(parameters.keyHolders, parameters.threshold);
  const { holders, weights, scale } = decodingSets[0]!;
  const dropped = BigInt(parameters.shareDroppedBits);
  const half = dropped === 0n ? 0n : 1n << (dropped - 1n);
  const stream = xof('shares', seed);
  const shares = new Map(holders.map((holder) => [holder, x.map(() => stream.uniformBelow(q >> dropped))]));
  const totals = x.map((wanted, index) => {
    const opened = holders.reduce((sum, holder, at) => sum + weights[at]! * ((shares.get(holder)![index]! << dropped) + half), 0n);
    return modulo((wanted - opened) * inverseModulo(L1 * scale, q), q);
  });
  return {
    parameters,
    used: x.length,
    addends,
    total: composedOf(totals),
    shares: new Map([...shares].map(([holder, values]) => [holder, blockOf(values, shareKeptBits(parameters))])),
  };
}

/** The definition in integers: m′ nearest to t·x/q, 2·|t·x − q·m′| ≤ t·(twice the bound), then (L1·L2)^-1·m′ mod t. */
function plainly(parameters: AggregationParameters, addends: number, x: readonly bigint[]): bigint[] | undefined {
  const committee = committeeConstants(parameters.keyHolders, parameters.threshold);
  const doubled = doubledNoise(committee, committee.decodingSets[0]!, { addends, ...parameters });
  const inverse = inverseModulo(committee.L1 * committee.decodingSets[0]!.scale, t);
  const messages = x.map((value) => {
    const nearest = (2n * t * value + q) / (2n * q);
    const distance = t * value - q * nearest;
    return 2n * (distance < 0n ? -distance : distance) <= t * doubled ? modulo(nearest * inverse, t) : undefined;
  });
  return messages.includes(undefined) ? undefined : (messages as bigint[]);
}

const planned = fc.constantFrom(plannedFor(3, 3, 'STANDARD'), plannedFor(7, 5, 'STANDARD'), plannedFor(12, 9, 'STANDARD'));
/** With nothing dropped the noise is so small that the upper limb of a remainder never decides. */
const parameterSets = fc
  .tuple(planned, fc.constantFrom('planned', 'share', 'upload', 'nothing'))
  .map(([parameters, dropped]): AggregationParameters => {
    const whole = { ...parameters, droppedBits: 0, keptBits: 180 };
    if (dropped === 'planned') return parameters;
    if (dropped === 'share') return { ...whole, smudgingBits: 20, shareDroppedBits: 14 };
    if (dropped === 'upload') return { ...parameters, shareDroppedBits: 0 };
    return { ...whole, smudgingBits: 1, shareDroppedBits: 0 };
  });

describe('malformed blocks', () => {
  const parameters = plannedFor(7, 5, 'STANDARD');
  const block = blockFor(parameters, 7, [0n, 5n], 1);
  const share = block.shares.get(0)!;
  const [low, middle, top] = [q & (2n ** 64n - 1n), (q >> 64n) & (2n ** 64n - 1n), q >> 128n];

  it.each<[string, Partial<BlockOpeningInput>, string]>([
    ['no addends', { addends: 0 }, 'out-of-range'],
    ['half an addend', { addends: 1.5 }, 'out-of-range'],
    ['more addends than sites', { addends: 8 }, 'out-of-range'],
    ['another number of coefficients', { used: 1 }, 'out-of-range'],
    ['a total of q', { total: BigUint64Array.of(0n, 0n, 0n, low, middle, top) }, 'out-of-range'],
    ['too few shares', { shares: new Map([...block.shares].slice(1)) }, 'out-of-range'],
    ['a share of nobody', { shares: new Map([...block.shares, [7, share]]) }, 'bad-committee'],
    ['a share cut short', { shares: new Map([...block.shares, [0, share.subarray(1)]]) }, 'malformed'],
    ['a share that is no bytes', { shares: new Map([...block.shares, [0, 'share' as unknown as Uint8Array]]) }, 'malformed'],
    ['a noise bound without room', { parameters: { ...parameters, droppedBits: 125, keptBits: 55 } }, 'bad-parameters'],
  ])('%s: refused', (_, change, code) => {
    expect(() => openBlock({ ...block, ...change })).toThrow(expect.objectContaining({ code }));
  });
});

describe('a block', () => {
  it('opens to what the definition says, on both sides of every bound', () => {
    const place = fc.record({
      message: fc.oneof(fc.bigInt({ min: 0n, max: t - 1n }), fc.constantFrom(0n, 1n, t - 1n)),
      side: fc.constantFrom(-1n, 1n),
      part: fc.constantFrom('bound', 'half', 'none', 'anywhere'),
      offset: fc.bigInt({ min: -3n, max: 3n }),
    });
    let refused = 0;
    fc.assert(
      fc.property(parameterSets, fc.array(place, { minLength: 1, maxLength: 6 }), fc.nat(), (parameters, places, seed) => {
        const committee = committeeConstants(parameters.keyHolders, parameters.threshold);
        const doubled = doubledNoise(committee, committee.decodingSets[0]!, { addends: parameters.sites, ...parameters });
        const stream = xof('x', seed);
        const x = places.map(({ message, side, part, offset }) => {
          if (part === 'anywhere') return stream.uniformBelow(q);
          const distance = { bound: doubled / 2n, half: q / (2n * t), none: 0n }[part];
          return modulo((q * message) / t + side * distance + offset, q);
        });
        const expected = plainly(parameters, parameters.sites, x);
        if (expected === undefined) refused++;
        const { coefficients, failedRelations } = openBlock(blockFor(parameters, parameters.sites, x, seed));
        expect(coefficients === undefined ? undefined : Array.from(coefficients)).toEqual(expected);
        expect(failedRelations).toEqual([]);
      }),
      { numRuns: 400 },
    );
    expect(refused).toBeGreaterThan(50);
  });

  it('opens where x stands a little below q', () => {
    const parameters = plannedFor(7, 5, 'STANDARD');
    const x = [q - 1n, 0n, 1n, q - (1n << 100n)];
    expect(Array.from(openBlock(blockFor(parameters, 7, x, 3)).coefficients ?? [])).toEqual(plainly(parameters, 7, x));
  });
});

describe('a verdict over all blocks', () => {
  const parameters = plannedFor(7, 5);
  const holders = [0, 1, 2, 3, 4, 5, 6];
  const without = (holder: number): number[] => holders.filter((other) => other !== holder);

  it('takes relations of different blocks together, in any order and number', () => {
    // Of the relations over six of seven, the one without holder 2 holds in every block.
    const failed = holders.filter((holder) => holder !== 2).map((holder) => without(holder));
    const shuffled = [...failed, ...failed].map((relation) => relation.toReversed());
    expect(judgeParity({ parameters, holders: holders.toReversed(), failedRelations: shuffled })).toEqual({
      consistent: false,
      suspects: [2],
    });
    expect(judgeParity({ parameters, holders, failedRelations: [] })).toEqual({ consistent: true });
  });

  it('names nobody when two can have lied, or when nobody alone can', () => {
    const [first, second] = [without(0), without(1)];
    expect(judgeParity({ parameters, holders, failedRelations: holders.slice(2).map(without) })).toEqual({ consistent: false });
    expect(judgeParity({ parameters, holders, failedRelations: [first, second, ...holders.slice(2).map(without)] })).toEqual({
      consistent: false,
    });
    expect(judgeParity({ parameters, holders: without(0), failedRelations: [first] })).toEqual({ consistent: false });
  });
});
