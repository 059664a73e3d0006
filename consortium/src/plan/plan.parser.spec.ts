import { describe, expect, it } from 'vitest';
import { ConsortiumError } from '../errors/index.js';
import { parsePlan, planBytes, planDigest } from './index.js';

const SHORT = `
schema: 1
plan: product-soft-sensor
sample: { of: [temperature, ph] }
target: { variable: product_concentration }
model: { kind: mlp }
`;

const refusal = (source: unknown): ConsortiumError => {
  try {
    parsePlan(source);
  } catch (error) {
    if (error instanceof ConsortiumError) return error;
    throw error;
  }
  throw new Error('the plan was accepted');
};
/** SHORT with further lines; a line whose key SHORT has replaces it. */
const plan = (...lines: string[]): string => {
  const keys = lines.map((line) => line.split(':')[0]);
  const kept = SHORT.split('\n').filter((line) => !keys.includes(line.split(':')[0]!));
  return [...kept, ...lines].join('\n');
};

describe('a document that is no plan', () => {
  it.each([
    ['broken YAML', 'schema: 1\nplan: [', /not readable YAML/],
    ['a key twice', `${SHORT}seed: 1\nseed: 2`, /not readable YAML.*unique/s],
    ['an alias', `${SHORT}x: &a [1]\ny: *a`, /not readable YAML/],
    ['a list', '[1, 2]', /a map of keys, not \[1,2\]/],
    ['nothing', '', /a map of keys, not null/],
    ['too much text', `${SHORT}#${'x'.repeat(70_000)}`, /at most 65536/],
    ['a number', 7, /a map of keys, not 7/],
  ])('refuses %s', (_, source, message) => {
    const error = refusal(source);
    expect(error.code).toBe('invalid-plan');
    expect(error.message).toMatch(message);
  });
});

describe('an unknown key', () => {
  it.each([
    [plan('quorum: { deadlne: 3 min }'), 'quorum: unknown key "deadlne"; did you mean "deadline"?'],
    [plan('training: { optimiser: adam }'), 'training: unknown key "optimiser"; did you mean "optimizer"?'],
    [plan('model: { kind: mlp, hiden: [8] }'), 'model: unknown key "hiden"; did you mean "hidden"?'],
    [plan('weigthing: { by: equal }'), 'the plan: unknown key "weigthing"; did you mean "weighting"?'],
    [plan('sample: { of: [temperature], windw: 3 h }'), 'sample: unknown key "windw"; did you mean "window"?'],
    [plan('zzzzzzzzzzzz: 1'), 'the plan: unknown key "zzzzzzzzzzzz"; known: schema, plan'],
  ])('is named with the nearest known key (%#)', (source, message) => {
    expect(refusal(source).message).toContain(message);
  });
});

describe('a refused value', () => {
  it.each([
    [plan('schema: 2'), 'schema = 2 must be 1'],
    [plan('plan: Über Plan'), 'plan = "Über Plan" must be a name'],
    [plan('rounds: 0'), 'rounds = 0 must be a whole number from 1 to 10000'],
    [plan('rounds: 1.5'), 'rounds = 1.5 must be a whole number'],
    [plan('seed: -1'), 'seed = -1 must be a whole number'],
    [plan('sample: { of: [] }'), 'sample.of = [] must be a list of 1 to 100 variables'],
    [plan('sample: { of: [temprature] }'), 'sample.of.0 = "temprature" is not a variable of the standard; did you mean "temperature"?'],
    [plan('sample: { of: [ph], every: 0 h }'), 'sample.every = "0 h" must be a length of time'],
    [plan('sample: { of: [ph], every: 5 }'), 'sample.every = 5 must be a length of time'],
    [plan('sample: { of: [ph], window: 6 hours }'), 'sample.window = "6 hours" must be a length of time'],
    [plan('sample: { of: [ph], phase: growth }'), 'sample.phase = "growth" must be one of inoculation, batch, fed-batch'],
    [plan('sample: { of: [ph, ph] }'), 'sample.of names "ph" twice'],
    [plan('sample: { of: [ph], summarise: [mean, mean] }'), 'sample.summarise names "mean" twice'],
    [plan('sample: { of: [product_concentration] }'), 'sample.of contains the target'],
    [plan('sample: { of: [ph], ranges: { pH: [0, 1] } }'), 'sample.ranges names "pH", which is no variable; did you mean "ph"?'],
    [plan('sample: { of: [ph], ranges: { ph: [8, 5] } }'), 'sample.ranges.ph = [8, 5] is empty'],
    [plan('target: { variable: titer }'), 'target.variable = "titer" is not a variable of the standard'],
    [plan('model: { kind: transformer }'), 'model.kind'],
    [plan('model: { kind: mlp, hidden: [0] }'), 'model.hidden.0 = 0 must be a whole number from 1 to 4096'],
    [plan('training: { learningRate: 0 }'), 'training.learningRate = 0 must be a number above 0'],
    [plan('training: { learningRate: .nan }'), 'must be a number above 0'],
    [plan('quorum: { waitFor: some }'), 'quorum.waitFor = "some" must be "all" or a whole number'],
    [plan('quorum: { onDeadline: retry }'), 'quorum.onDeadline = "retry" must be one of proceed-with-quorum, wait, abandon'],
    [plan('evaluation: { holdout: { batchs: [a] } }'), 'evaluation.holdout = {"batchs":["a"]} must be { batches:'],
    [plan('evaluation: { holdout: { byBatch: 0.9 } }'), 'evaluation.holdout.byBatch = 0.9 must be a number above 0, at most 0.5'],
    [plan('privacy: { keyHolders: 3, threshold: 4 }'), 'privacy.threshold = 4 is above privacy.keyHolders = 3'],
    [plan('features: [time]'), 'features.0 = "time" must be one of time_since_phase, or { product:'],
    [plan('features: [{ product: [time_since_phase, ph] }]'), 'names "time_since_phase", which is no column before it'],
    [plan('features: [time_since_phase, time_since_phase]'), 'the column "time_since_phase" appears twice'],
    [SHORT.replace('plan: product-soft-sensor', ''), 'plan is missing'],
    [SHORT.replace('model: { kind: mlp }', ''), 'model is missing'],
  ])('is named with what is allowed (%#)', (source, message) => {
    const error = refusal(source);
    expect(error.code).toBe('invalid-plan');
    expect(error.message).toContain(message);
  });

  it('is reported together with every other one', () => {
    expect(refusal(plan('rounds: 0', 'seed: x')).message.split('\n')).toHaveLength(2);
  });
});

describe('a part of the format that is not built yet', () => {
  it.each([
    [plan('task: binary'), 'task = "binary" (this version has: regression)'],
    [plan('model: { kind: gru, units: 32, head: [16, 1] }'), 'model.kind = "gru" (this version has: linear, mlp)'],
    [plan('strategy: { kind: scaffold }'), 'strategy.kind = "scaffold" (this version has: fedavg)'],
    [plan('normalisation: per-site'), 'normalisation = "per-site" (this version has: federated, none)'],
    [plan('target: { variable: product_concentration, at: +12 h }'), 'target.at = "+12 h" (this version has: now)'],
    [plan('target: { variable: product_concentration, at: harvest }'), 'target.at = "harvest"'],
    [plan('privacy: { clipNorm: 1.0 }'), 'privacy.clipNorm = 1 (this version has: null)'],
    [plan('privacy: { differentialPrivacy: { epsilon: 1 } }'), 'privacy.differentialPrivacy'],
    [plan('personalisation: { finetune: 3 }'), 'personalisation.finetune = 3'],
    [plan('training: { proximal: 0.1 }'), 'training.proximal = 0.1'],
    [plan('rows: { features: [a] }'), 'rows = {"features":["a"]}'],
    [plan('evaluation: { metric: mae }'), 'evaluation.metric = "mae" (this version has: rmse)'],
  ])('is refused by name (%#)', (source, message) => {
    const error = refusal(source);
    expect(error.code).toBe('not-built-yet');
    expect(error.message).toContain('not built yet in this version');
    expect(error.message).toContain(message);
  });
});

describe('a plan', () => {
  const FULL = `
schema: 1
plan: penicillin-soft-sensor
task: regression
sample: { every: 1 h, window: 6 h, of: [temperature, ph, dissolved_oxygen, feed_rate_volumetric, offgas_co2] }
target: { variable: product_concentration, at: now }
features: [time_since_phase, { product: [time_since_phase, temperature] }]
normalisation: federated
model: { kind: mlp, hidden: [32, 16] }
training: { epochs: 1, batchSize: 32, optimizer: adam, learningRate: 0.001, proximal: 0.0 }
strategy: { kind: fedavg }
personalisation: { finetune: 0, localLayers: [] }
rounds: 20
quorum: { minContributors: 4, waitFor: all, deadline: 10 min, absentAfterPolls: 3, onDeadline: proceed-with-quorum }
weighting: { by: samples, cap: auto }
quantisation: { valueBits: auto }
privacy: { keyHolders: 5, threshold: 4, collusionBound: 2, clipNorm: null, differentialPrivacy: null }
evaluation: { metric: rmse, holdout: { batches: ['*_R4'] }, benchmark: null }
stopping: { patience: 5 }
retention: { ciphertexts: 30 d }
seed: 7
`;

  it('keeps what it says, with lengths of time in milliseconds', () => {
    const parsed = parsePlan(FULL);
    expect(parsed.sample).toMatchObject({
      every: 3_600_000,
      window: 21_600_000,
      at: 'grid',
      summarise: ['last', 'mean', 'slope'],
      phase: null,
    });
    expect(parsed.quorum).toMatchObject({ minContributors: 4, deadline: 600_000 });
    expect(parsed.retention.ciphertexts).toBe(2_592_000_000);
    expect(parsed.evaluation.holdout).toEqual({ batches: ['*_R4'] });
  });

  it('has the name it has always had', () => {
    // Golden: a change here renames every approved plan, which must be a decision and never an accident.
    expect(planDigest(parsePlan(FULL))).toBe('8d71f95e1fed4f75ef6236cd6618277d06c3cb201d0c5f8c7c79f20eda9d1586');
    expect(planDigest(parsePlan(SHORT))).toBe('1ead922c9b9d0e00aa9a809a1df7571ffe74434507ead64164d1d05cc0329448');
  });

  it('parses from its own canonical bytes to an equal plan', () => {
    const parsed = parsePlan(FULL);
    const again = parsePlan(JSON.parse(new TextDecoder().decode(planBytes(parsed))));
    expect(again).toEqual(parsed);
    expect(planBytes(again)).toEqual(planBytes(parsed));
  });

  it('is the same plan with defaults written out, in another order, or with 60 min for 1 h', () => {
    const digest = planDigest(parsePlan(SHORT));
    expect(planDigest(parsePlan(plan('rounds: 20', 'sample: { window: 0.25 d, every: 60 min, of: [temperature, ph] }')))).toBe(digest);
  });

  it('is another plan when one value differs', () => {
    expect(planDigest(parsePlan(plan('seed: 1')))).not.toBe(planDigest(parsePlan(SHORT)));
  });
});
