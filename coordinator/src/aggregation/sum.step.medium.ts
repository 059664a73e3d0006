import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  applySum,
  describeModel,
  initialState,
  modelBytes,
  modelDigest,
  parsePlan,
  planAggregation,
  vectorShape,
} from '@coferment/consortium';
import { packVector, sha256Hex, unpackSum } from '@coferment/crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { SumOpener } from './sum.opener.js';
import type { StepTask } from './sum.step.js';

/** A million parameters. */
const plan = parsePlan({
  schema: 1,
  plan: 'large',
  sample: { of: ['ph'], summarise: ['last'] },
  target: { variable: 'product_concentration' },
  normalisation: 'none',
  model: { kind: 'mlp', hidden: [1000, 1000], activation: 'relu' },
  training: { initialRange: 1 },
});
const folder = mkdtempSync(join(tmpdir(), 'coordinator-step-'));
const opener = new SumOpener();
const sites = ['a', 'b', 'c'];
const parameters = planAggregation({ sites: 3, keyHolders: 3, threshold: 3 });
const state = initialState(plan, { ordinal: 1, siteIds: sites, statistics: { exact: [60n], addends: 3 } });
const shape = vectorShape(plan, 'update');
const one = Uint32Array.from({ length: shape.packed }, (_, index) => 2 ** (parameters.valueBits - 1) + (index % 7) - 3);
const sum = packVector(shape, parameters, one, [20n, 6n, 65_536n, 0n]).map((word) => word * 3n);
const model = modelDigest(describeModel(plan), state.model);
const { round, ranges, weightCap, normalisation } = state;
const stored = modelBytes(state.model);
const task: StepTask = {
  plan,
  kind: 'update',
  ordinal: 1,
  sites,
  parameters,
  addends: 3,
  confirms: undefined,
  from: { facts: { round, model, ranges, weightCap, normalisation }, path: join(folder, 'model'), object: sha256Hex(stored) },
  sum: join(folder, 'sum'),
  target: join(folder, 'next'),
};
const restore = () => {
  writeFileSync(task.from!.path, stored);
  writeFileSync(task.sum, new Uint8Array(sum.buffer));
};

afterAll(async () => {
  await opener.onModuleDestroy();
  rmSync(folder, { recursive: true });
});

/** The longest time for which a timer of a millisecond was kept waiting. */
async function longestGap(work: () => Promise<unknown>): Promise<number> {
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(longest, performance.now() - last);
}

describe('the step after a sum of a million parameters', () => {
  it('gives bit for bit the state that the members compute', async () => {
    restore();
    const { packed, exact } = unpackSum(shape, parameters, sum, 3);
    const next = applySum(plan, state, { packed, exact, addends: 3, valueBits: parameters.valueBits });
    const stepped = await opener.step(task);
    expect(stepped).toMatchObject({
      ok: true,
      learnt: { round: 1, model: modelDigest(describeModel(plan), next.model), ranges: next.ranges, weightCap, normalisation },
      metrics: { holdoutCount: 18 },
    });
    expect(Buffer.compare(readFileSync(task.target), modelBytes(next.model))).toBe(0);
  });

  it('leaves the event loop to everybody else', async () => {
    restore();
    await opener.step(task);
    // What the same work takes on this thread, on this machine at this moment.
    const started = performance.now();
    const { packed, exact } = unpackSum(shape, parameters, sum, 3);
    const next = applySum(plan, state, { packed, exact, addends: 3, valueBits: parameters.valueBits });
    modelDigest(describeModel(plan), next.model);
    sha256Hex(modelBytes(next.model));
    const here = performance.now() - started;
    const gaps: number[] = [];
    for (let turn = 0; turn < 5; turn++) gaps.push(await longestGap(() => opener.step(task)));
    // The best of a few: the machine may be busy with something else in any of them.
    expect(Math.min(...gaps)).toBeLessThan(here / 3);
  });

  it('names a model that is gone or was changed, and is taken once it is back', async () => {
    restore();
    writeFileSync(task.from!.path, stored.with(8 * 17, stored[8 * 17]! ^ 1));
    await expect(opener.step(task)).rejects.toThrow(/the model of round 0 .*digest/);
    rmSync(task.from!.path);
    await expect(opener.step(task)).rejects.toMatchObject({ code: 'unknown-object', path: task.from!.path });
    restore();
    expect(await opener.step(task)).toMatchObject({ ok: true });
  });

  it('says what a sum is that cannot be', async () => {
    restore();
    writeFileSync(task.sum, new Uint8Array(sum.with(sum.length - 1, 1n).buffer));
    expect(await opener.step(task)).toMatchObject({ ok: false, reason: 'residual' });
    writeFileSync(task.sum, new Uint8Array(sum.with(sum.length - 5, 1n).buffer));
    expect(await opener.step(task)).toMatchObject({ ok: false, reason: 'weights' });
  });
});
