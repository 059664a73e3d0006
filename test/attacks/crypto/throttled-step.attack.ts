import {
  applySum,
  contributionWeight,
  describeModel,
  encodeExact,
  initialState,
  peekStatement,
  type Plan,
  quantiseUpdate,
  type StrategyState,
  updateBits,
} from '@coferment/consortium';
import { loadCrypto, xof } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { ScriptedConsortium } from '../../../client-agent/src/rounds/consortium.fixture.js';
import { prepareSum } from '../../../client-agent/src/rounds/contribution.handlers.js';
import { correlation } from '../controls/measure.fixture.js';
import { exampleRows, networkPlan, type Rows, trainOneStep } from '../controls/small-network.fixture.js';

/*
 * A model that hardly moves.
 * Who: the coordinator with ONE site. What they hold: the published sums of two rounds, the second over one site fewer (the coordinator calls it late).
 * One set per model version keeps two sums from being subtracted only while versions differ in what they make of a site's records. The colluding site
 * sees to it that they hardly do: in the statistics it claims many rows, so that the weight cap goes up, and then it sends the largest weight and an
 * update of zeros. The mean update shrinks, the model stands still, and the next sum holds the same updates again. Where weights are equal it sends the
 * opposite of what the last sum held of the others, which comes to nearly the same.
 * What they get: the difference of the two sums is the victim's update. A LIMIT, "differences between rounds" in SECURITY.md, shown here to be in the
 * hands of one site and not only of a plan with small steps. What a site can see: that its own weight is a small part of the sum of weights. What it
 * meets: counts so high that honest updates come to nothing are refused by every honest site before it trains.
 */

const SITES = ['site-0', 'site-1', 'site-2', 'site-3', 'site-4'];
const COLLUDER = 'site-4';
const VICTIM = 'site-1';
const ROWS = 40;
const VALUE_BITS = 16;
/** Two ranges: the others leave room for that in a sum. */
const MOST_STEPS = 2 * (2 ** (VALUE_BITS - 1) - 1);
let plan: Plan;

beforeAll(async () => {
  await loadCrypto();
  const base = networkPlan();
  plan = { ...base, normalisation: 'none', training: { ...base.training, learningRate: 0.05, initialRange: null } };
});

const records = new Map<string, Rows>(SITES.map((site) => [site, exampleRows(site, 18, ROWS)]));

/** Forty local steps over all rows. */
function trained(site: string, state: StrategyState): Float64Array {
  let model = state.model;
  for (let step = 0; step < 40; step++) {
    const update = trainOneStep(plan, model, state.normalisation, records.get(site)!, 0.01);
    model = model.map((value, index) => value + update[index]!);
  }
  return model.map((value, index) => value - state.model[index]!);
}

/** What the colluder puts into a sum: the largest weight that passes with zeros, or an honest weight and the opposite of these scaled values. */
type Lie = 'brake' | { takesOff: Float64Array };

/** A round's sum as it is published, what of it is not the colluder's lie, and what follows from it. */
function round(of: Plan, state: StrategyState, sites: readonly string[], lie: Lie | null) {
  const { ranges, weightCap } = state;
  const parameters = state.model.length;
  const zero = 2 ** (VALUE_BITS - 1);
  const sum = new Float64Array(parameters);
  const sent = new Float64Array(parameters);
  let exact = [0n, 0n, 0n, 0n];
  for (const site of sites) {
    const lies = lie !== null && site === COLLUDER;
    const honestWeight = contributionWeight(of, ROWS, weightCap);
    // All that the check of the weights leaves: |A|·cap less what the honest ones send.
    const weight = lies && lie === 'brake' ? sites.length * weightCap - (sites.length - 1) * honestWeight : honestWeight;
    const seed = xof('rounding', site, state.round);
    const honest = (): Uint32Array =>
      quantiseUpdate({ plan: of, ranges, delta: trained(site, state), weight, weightCap, valueBits: VALUE_BITS, seed }).packed;
    const steps =
      lies && lie !== 'brake'
        ? inSteps(lie.takesOff, state).map((value) => Math.max(-MOST_STEPS, Math.min(MOST_STEPS, -value)))
        : new Float64Array(parameters);
    if (lies) sent.set(steps);
    (lies ? steps.map((value) => zero + value) : honest()).forEach((value, index) => (sum[index]! += value));
    const told = encodeExact(of, 'update', { weight, holdoutCount: 0, holdoutSumSquaredError: 0, trainLossSum: 0 });
    exact = exact.map((value, index) => value + told[index]!);
  }
  const others = real(
    sum.map((value, index) => value - sent[index]!),
    state,
    sites.length,
  );
  return { others, next: applySum(of, state, { packed: sum, exact, addends: sites.length, valueBits: VALUE_BITS }) };
}

const rangesOf = ({ ranges }: StrategyState): number[] =>
  describeModel(plan).tensors.flatMap(({ size }, tensor) => Array.from({ length: size }, () => ranges.perTensor[tensor]!));

function inSteps(values: Float64Array, state: StrategyState): Float64Array {
  const rangeOf = rangesOf(state);
  return values.map((value, index) => Math.round((value * (2 ** (VALUE_BITS - 1) - 1)) / rangeOf[index]!));
}

/** Published integers as real values of the scaled update, tensor by tensor: kernel and bias of the hidden layer, then of the output. */
function real(values: Float64Array, state: StrategyState, addends: number): Float64Array {
  const zero = 2 ** (VALUE_BITS - 1);
  const rangeOf = rangesOf(state);
  return values.map((value, index) => ((value - addends * zero) * rangeOf[index]!) / (zero - 1));
}

const start = (of: Plan, claim: number | null): StrategyState => {
  const rows = BigInt((SITES.length - 1) * ROWS + (claim ?? ROWS));
  return initialState(of, { ordinal: 1, siteIds: SITES, statistics: { exact: [rows], addends: SITES.length } });
};

/** Correlation of what the attackers compute with the victim's update, when the second sum is over all but the victim; and how far the model moved. */
function stolen(
  first: StrategyState,
  lie: Lie | null,
  of = plan,
): { correlation: number; moved: number; next: StrategyState; others: Float64Array } {
  const { others, next } = round(of, first, SITES, lie);
  const without = SITES.filter((site) => site !== VICTIM);
  const after = round(of, next, without, lie === null || lie === 'brake' ? lie : { takesOff: new Float64Array(first.model.length) }).others;
  const victim = trained(VICTIM, first);
  const difference = others.map((value, index) => value - after[index]!);
  const moved = Math.hypot(...next.model.map((value, index) => value - first.model[index]!)) / Math.hypot(...victim);
  return { correlation: correlation(difference, victim), moved, next, others };
}

/** The part of the victim's update (its variance) that the attackers' difference does not tell. */
const unread = ({ correlation: told }: { correlation: number }): number => 1 - told ** 2;

describe('two rounds, the second without one site', () => {
  it('leave a quarter of its update unread while the model moves as it should', () => {
    // Correlation 0.84: unlike sites, full batches, a small model. SECURITY.md warns of that.
    const unattacked = stolen(start(plan, null), null);
    expect(unattacked.moved).toBeGreaterThan(0.3);
    expect(unread(unattacked)).toBeGreaterThan(0.2);
  });

  it.each([
    [400, 0.1, 0.02],
    [4000, 0.01, 0.002],
  ])('LIMIT: leave next to nothing unread when one site claims %i rows and pulls the brake', (claim, most, left) => {
    // Correlation 0.995 and 0.9996.
    const throttled = stolen(start(plan, claim), 'brake');
    expect(throttled.moved).toBeLessThan(most);
    expect(unread(throttled)).toBeLessThan(left);
  });

  it('LIMIT: leave as little unread under equal weights, once the site takes off what the last sums held of the others', () => {
    const equal: Plan = { ...plan, weighting: { by: 'equal', cap: 'auto' } };
    let state = start(equal, null);
    let takesOff: Float64Array = new Float64Array(state.model.length);
    for (let number = 1; number <= 2; number++) {
      const { others, next } = stolen(state, { takesOff }, equal);
      [takesOff, state] = [others, next];
    }
    // Correlation 0.992 in the third round; 0.87 from the same model when the site is honest there.
    const third = stolen(state, { takesOff }, equal);
    expect(third.moved).toBeLessThan(0.1);
    expect(unread(third)).toBeLessThan(0.02);
    expect(unread(stolen(state, null, equal))).toBeGreaterThan(0.2);
  });
});

/** Steps of the quantiser that an honest update reaches at most in a run whose ranges have fallen as far as they can, and how its site judges that. */
function heard(of: Plan, claim: number): { reach: number; refuses: boolean } {
  const rows = BigInt((SITES.length - 1) * ROWS) + BigInt(claim);
  const state = initialState(of, { ordinal: 1, siteIds: SITES, statistics: { exact: [rows], addends: SITES.length } });
  const { weight, cap, bits, least } = updateBits(of, state, ROWS, VALUE_BITS);
  const largest = Math.max(...trained(VICTIM, state).map(Math.abs));
  const steps = 2 ** (VALUE_BITS - 1) - 1;
  return { reach: (largest * (weight / cap) * steps) / state.ranges.floor, refuses: bits < least };
}

describe('a row count that no site has', () => {
  it('would leave the others no bits in every round of the run: they take no part in it', () => {
    expect(heard(plan, 2 ** 18).reach).toBeLessThan(1);
    expect(heard(plan, 2 ** 20).reach).toBeLessThan(0.1);
    expect(heard(plan, 2 ** 47).reach).toBeLessThan(1e-12);
    for (const claim of [2 ** 15, 2 ** 18, 2 ** 20, 2 ** 47]) expect(heard(plan, claim).refuses).toBe(true);
  });

  it('is met by the code of that refusal at every honest site, and neither nonce nor ciphertext leaves it', async () => {
    const consortium = new ScriptedConsortium(['a', 'b', 'c', 'd']);
    try {
      consortium.member('d').trainer.claimedRows = 2n ** 20n;
      await consortium.toRounds();
      const { board } = consortium;
      for (const site of ['a', 'b', 'c']) {
        const member = consortium.member(site);
        const [before, objects] = [board.acts.length, board.objects.size];
        await expect(prepareSum(member, { name: consortium.name('update', 6, 1) })).rejects.toMatchObject({ code: 'weight-drowned' });
        expect(board.acts.slice(before).map(({ envelope }) => peekStatement(envelope).name)).toEqual(['attempt-declined']);
        expect(board.objects.size).toBe(objects);
      }
    } finally {
      consortium.close();
    }
  });

  it('drowns them under equal weights and under a cap of the plan as well, through the ranges: refused too', () => {
    for (const weighting of [
      { by: 'equal', cap: 'auto' },
      { by: 'samples', cap: 64 },
    ] as const) {
      const of = { ...plan, weighting };
      expect(heard(of, 2 ** 47).reach).toBeLessThan(1e-4);
      expect(heard(of, 2 ** 47).refuses).toBe(true);
      const fixed = heard({ ...of, training: { ...of.training, initialRange: 2 } }, 2 ** 47);
      expect(fixed.reach).toBeGreaterThan(2 ** 13);
      expect(fixed.refuses).toBe(false);
    }
  });

  it('LIMIT: is accepted while it leaves the others bits enough', () => {
    for (const claim of [ROWS, 400, 4000, 2 ** 14]) expect(heard(plan, claim).refuses).toBe(false);
    expect(heard(plan, ROWS).reach).toBeGreaterThan(2 ** 11);
    expect(heard(plan, 2 ** 14).reach).toBeGreaterThan(16);
  });
});
