import {
  checkFreeze,
  describeModel,
  holderPoint,
  initialState,
  inputContext,
  type Normalisation,
  type Plan,
  quantiseUpdate,
  type Ranges,
  resolveQuorum,
  type Roster,
  roundContext,
  signStatement,
  type StrategyState,
  sumInput,
  type SumPosition,
} from '@coferment/consortium';
import {
  bytesToHex,
  coefficientCount,
  type Combination,
  digest,
  generateIdentity,
  loadCrypto,
  packVector,
  unpackSum,
  xof,
} from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { HonestEpoch } from './epoch.fixture.js';
import { correlation } from './measure.fixture.js';
import { exampleRows, networkPlan, silencingInput, trainOneStep } from './small-network.fixture.js';

/*
 * One site is told something else than the others.
 * Who: the coordinator, alone. What it holds: eight uploads and the published sum.
 * Weakened design: what a round starts from is not bound into K, so uploads made from different inputs still add up and open. The coordinator gives the
 * victim the true values, and everybody else (1) ranges so wide that their updates round to zero, (2) a model whose hidden units are all off (Pasquini et
 * al., CCS 2022), or (3) a normalisation that turns every record into one input for which they are off (docs/decisions/005).
 * What it gets: "the sum of eight" is the victim's update.
 * Ours: each site rebuilds I from its own state; all of this is in I, and I is in K. Uploads under two K neither pass the freeze nor open.
 */

const SITES = Array.from({ length: 8 }, (_, index) => `site-0${index}`);
const VICTIM = 'site-03';
const SHAPE_EXACT = [1n, 5n, 100n, 7n];
let plan: Plan;
let epoch: HonestEpoch;
let honest: StrategyState;

beforeAll(async () => {
  await loadCrypto();
  plan = networkPlan();
  epoch = new HonestEpoch({ sites: 8, keyHolders: 3, threshold: 3 });
  const { inputs } = describeModel(plan);
  const none = initialState({ ...plan, normalisation: 'none' }, { ordinal: 1, siteIds: SITES, statistics: { exact: [320n], addends: 8 } });
  const normalisation: Normalisation = {
    count: 320,
    mean: Array.from({ length: inputs }, () => 0),
    std: Array.from({ length: inputs }, () => 1),
    targetMean: 0,
    targetStd: 4,
  };
  honest = { ...none, weightCap: 1, normalisation };
});

type Lie = 'nothing' | 'ranges' | 'model' | 'normalisation';

function toldTo(site: string, lie: Lie): StrategyState {
  if (site === VICTIM) return honest;
  const { model, normalisation, ranges } = honest;
  switch (lie) {
    case 'nothing':
      return honest;
    case 'ranges': {
      const wide: Ranges = { ...ranges, perTensor: ranges.perTensor.map(() => 1e6) };
      return { ...honest, ranges: wide };
    }
    case 'model': {
      const { tensors } = describeModel(plan);
      const bias = tensors[0]!.size;
      return { ...honest, model: model.map((value, index) => (index >= bias && index < bias + tensors[1]!.size ? -1000 : value)) };
    }
    case 'normalisation': {
      const spread = 1e9;
      const silent = silencingInput(plan, model);
      return {
        ...honest,
        normalisation: { ...normalisation, mean: silent.map((value) => -value * spread), std: normalisation.std.map(() => spread) },
      };
    }
  }
}

function updateOf(site: string, state: StrategyState): Float64Array {
  const { inputs } = describeModel(plan);
  return trainOneStep(plan, state.model, state.normalisation, exampleRows(site, inputs), 0.01);
}

/** Every site trains and encrypts from what it was told, under the K that `contextOf` gives it. */
function round(lie: Lie, contextOf: (state: StrategyState) => string): Combination {
  const { parameters } = epoch;
  const shape = { packed: describeModel(plan).parameters, exact: SHAPE_EXACT.length };
  const uploads = SITES.map((site) => {
    const state = toldTo(site, lie);
    const { ranges, weightCap } = state;
    const seed = xof('rounding', site);
    const { valueBits } = parameters;
    const { packed } = quantiseUpdate({ plan, ranges, delta: updateOf(site, state), weight: 1, weightCap, valueBits, seed });
    return epoch.encrypt(site, contextOf(state), packVector(shape, parameters, packed, SHAPE_EXACT));
  });
  const coefficients = coefficientCount(shape, parameters);
  const shares = epoch.releaseAll(epoch.holders, { k: contextOf(honest), sites: SITES, coefficients });
  return epoch.open(uploads, coefficients, shares);
}

/** The sum less the zero points, as the victim's values by the ranges that the victim was told. */
function readAsVictim(opened: Combination): Float64Array {
  if (!opened.ok) throw new Error(opened.reason);
  const { parameters } = epoch;
  const shape = { packed: describeModel(plan).parameters, exact: SHAPE_EXACT.length };
  const { packed } = unpackSum(shape, parameters, opened.coefficients, SITES.length);
  const zero = 2 ** (parameters.valueBits - 1);
  return packed.map((value) => ((value - SITES.length * zero) * honest.ranges.perTensor[0]!) / (zero - 1));
}

const LIES: readonly Exclude<Lie, 'nothing'>[] = ['ranges', 'model', 'normalisation'];
const E = digest('e');
const NONCES = SITES.map((site) => ({ site, nonce: digest('nonce', site) }));
const oursContext = (state: StrategyState): string =>
  roundContext({ e: E, i: inputContext(sumInput(plan, 'update', state)), sum: 10, attempt: 1, nonces: NONCES });
const weakContext = (): string => digest('round 1');

describe('where the inputs of a round are not in K', () => {
  it('an honest sum of eight tells little about one of them', () => {
    const read = readAsVictim(round('nothing', weakContext));
    expect(correlation(read, updateOf(VICTIM, honest))).toBeLessThan(0.75);
  });

  it.each(LIES)('other %s for all but the victim: the sum of eight is its update', (lie) => {
    const read = readAsVictim(round(lie, weakContext));
    const victim = updateOf(VICTIM, honest);
    // The bias of the output, the last value, is in everybody's update; all else is the victim's.
    const [stolen, truth] = [read, victim].map((values) => Array.from(values.subarray(0, -1))) as [number[], number[]];
    expect(correlation(stolen, truth)).toBeGreaterThan(0.9999);
    const step = honest.ranges.perTensor[0]! / (2 ** (epoch.parameters.valueBits - 1) - 1);
    expect(Math.max(...stolen.map((value, index) => Math.abs(value - truth[index]!)))).toBeLessThan(2 * step);
  });
});

describe('where every site rebuilds I', () => {
  it('an honest round opens', () => {
    expect(round('nothing', oursContext).ok).toBe(true);
  });

  it.each(LIES)('other %s give another K, and nothing opens', (lie) => {
    const [told, victim] = ['site-00', VICTIM].map((site) => oursContext(toldTo(site, lie)));
    expect(told).not.toBe(victim);
    expect(round(lie, oursContext)).toEqual({ ok: false, reason: 'residual' });
  });

  it.each(LIES)('other %s: a site that is asked to sign refuses the uploads of the others', (lie) => {
    const identities = new Map(SITES.map((site) => [site, generateIdentity()]));
    const roster: Roster = {
      sites: SITES.map((site) => ({ site, identityKey: bytesToHex(identities.get(site)!.publicKey) })),
      keyHolders: SITES.slice(0, 3).map((site, position) => ({ site, point: holderPoint(position) })),
      numbers: resolveQuorum({ ...plan, privacy: { ...plan.privacy, keyHolders: 3, threshold: 3 } }, SITES.length),
      parameters: epoch.parameters,
      leftOut: [],
      sealingKeys: [],
    };
    const position: SumPosition = { consortium: 'acme', run: 'r1-0123456789abcdef', epoch: 1, e: E, kind: 'update', sum: 10, attempt: 1 };
    const uploadBy = (site: string) => {
      const { ranges } = sumInput(plan, 'update', toldTo(site, lie));
      return signStatement(
        'contribution',
        {
          consortium: 'acme',
          run: position.run,
          e: E,
          kind: 'update',
          sum: 10,
          attempt: 1,
          site,
          k: oursContext(toldTo(site, lie)),
          blocks: 1,
          droppedBits: epoch.parameters.droppedBits,
          ranges,
          object: digest('object', site),
          merkleRoot: digest('root', site),
          sampleCommitment: digest('samples'),
          batchCommitment: digest('batches'),
          dataReportCommitment: digest('data-report'),
          backend: 'wasm',
        },
        identities.get(site)!,
      );
    };
    const contributions = SITES.map(uploadBy);
    const check = (site: string) => () =>
      checkFreeze({
        roster,
        position,
        k: oursContext(toldTo(site, lie)),
        nonces: NONCES,
        minContributors: roster.numbers.minContributors,
        contributions,
      });
    for (const site of SITES) expect(check(site)).toThrow(expect.objectContaining({ code: 'other-k' }) as Error);
  });
});
