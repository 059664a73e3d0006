import { type Plan, parsePlan, planBytes, planDigest, runId } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { leavingItems } from './leaving.items.js';
import { checkOrdinal, checkRunRequest, readPlan } from './plan.policy.js';

const plan: Plan = parsePlan({
  schema: 1,
  plan: 'fixture',
  sample: { of: ['temperature'] },
  target: { variable: 'product_concentration' },
  model: { kind: 'linear' },
});
const digest = planDigest(plan);
const request = { run: runId(digest, 1), ordinal: 1, plan: digest, sites: ['a', 'b', 'c'] };

describe('a plan from the coordinator', () => {
  it('is accepted in its canonical bytes only', () => {
    expect(readPlan(planBytes(plan))).toEqual(plan);
    expect(() => readPlan(Buffer.from(JSON.stringify(JSON.parse(Buffer.from(planBytes(plan)).toString()), null, 1)))).toThrow(/canonical/);
    expect(() => readPlan(Buffer.from('{'))).toThrow(/not JSON/);
  });

  it('is refused for a run under another name, a list without this site, or one that is unsorted or doubled', () => {
    expect(() => checkRunRequest(request, 'a', plan)).not.toThrow();
    expect(() => checkRunRequest({ ...request, ordinal: 2 }, 'a', plan)).toThrow(/not the one of ordinal 2/);
    expect(() => checkRunRequest(request, 'd', plan)).toThrow(/not among the sites/);
    expect(() => checkRunRequest({ ...request, sites: ['b', 'a', 'c'] }, 'a', plan)).toThrow(/not sorted/);
    expect(() => checkRunRequest({ ...request, sites: ['a', 'a', 'b', 'c'] }, 'a', plan)).toThrow(/names "a" twice/);
    expect(() => checkRunRequest({ ...request, sites: ['a', 'b'] }, 'a', plan)).toThrow(/2/);
  });

  it('is refused when it may stop early, which this site could not check', () => {
    const patient = { ...plan, stopping: { patience: 3 } };
    const patientDigest = planDigest(patient);
    const asked = { ...request, plan: patientDigest, run: runId(patientDigest, 1) };
    expect(() => checkRunRequest(asked, 'a', patient)).toThrow(/stopping\.patience = 3.*not built yet/);
  });

  it('cannot come back with an older ordinal', () => {
    expect(() => checkOrdinal('r2-x', 2, 1)).not.toThrow();
    expect(() => checkOrdinal('r1-x', 1, 1)).toThrow(/approved ordinal 1/);
  });
});

describe('what would leave', () => {
  it('is listed with sizes for every kind of sum', () => {
    const items = leavingItems(plan, 5);
    expect(items.every(({ bytes, times }) => bytes > 0 && times > 0)).toBe(true);
    expect(items.map(({ name }) => name)).toContain('encrypted update vector');
  });
});
