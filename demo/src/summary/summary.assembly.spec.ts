import { describe, expect, it } from 'vitest';
import { readRunView } from '../run/run.view.js';
import { assembleSummary, type SummaryParts } from './summary.assembly.js';

const digest = 'ab'.repeat(32);
const error = 1.5;

const run = readRunView({
  run: 'r1-abababababababab',
  plan: digest,
  state: 'completed',
  sites: ['a', 'b', 'c'],
  keyHolders: ['a', 'b', 'c'],
  threshold: 3,
  collusionBound: 1,
  attestQuorum: 3,
  model: digest,
  modelParameters: 100,
  parameters: JSON.stringify({ set: 'STANDARD' }),
  rounds: [
    { round: 0, kind: 'statistics', sum: 4, attempt: 1, state: 'closed', openedMs: 0, closedMs: 90_000 },
    {
      round: 2,
      kind: 'update',
      sum: 6,
      attempt: 2,
      state: 'closed',
      uploadBytes: 280,
      counted: ['a', 'b'],
      excluded: [{ site: 'c', reason: 'dropped' }],
      openedMs: 0,
      closedMs: 3000,
    },
    {
      round: 1,
      kind: 'update',
      sum: 5,
      attempt: 1,
      state: 'closed',
      uploadBytes: 280,
      counted: ['a', 'b', 'c'],
      openedMs: 0,
      closedMs: 2000,
    },
  ],
});

const parts: SummaryParts = {
  fault: 'none',
  backends: ['wasm'],
  modelFile: 'model/model.json',
  reportFile: 'report.html',
  run,
  comparison: {
    sites: [{ id: 'a', localOnly: error, ownTest: { localOnly: error, federated: error } }],
    metric: { name: 'rmse', unit: 'g/L', localOnly: error, federated: error, pooled: error },
  },
  audit: {
    verdict: { verified: true, summary: 'holds', origin: 'ledger.localhost/demo', size: 70, rootHash: 'root', witnesses: ['w'] },
    recomputed: { sums: 6, same: true },
    receipt: { holds: true, site: 'a', witnesses: 2 },
  },
  startedMs: 1000,
  endedMs: 61_000,
};

describe('summary.json', () => {
  it('lists training rounds only, in order, with attempts and reasons', () => {
    const summary = assembleSummary(parts);
    expect(summary.aggregation.rounds).toEqual([
      { round: 1, attempt: 1, counted: ['a', 'b', 'c'], excluded: [] },
      { round: 2, attempt: 2, counted: ['a', 'b'], excluded: [{ site: 'c', reason: 'dropped' }] },
    ]);
    expect(summary.run).toEqual({ id: run.run, planDigest: digest, status: 'completed', rounds: 2 });
    expect(summary.seconds).toEqual({ total: 60, perRoundMedian: 2.5 });
    expect(summary.aggregation.uploadBytesPerParameter).toBe(2.8);
    expect(summary.aggregation.parameters).toBe('STANDARD');
  });

  it('is refused rather than written with a part missing', () => {
    expect(() => assembleSummary({ ...parts, run: { ...run, rounds: run.rounds.map((round) => ({ ...round, uploadBytes: 0 })) } })).toThrow(
      /uploadBytesPerParameter/,
    );
    expect(() => assembleSummary({ ...parts, run: { ...run, model: '' } })).toThrow(/model/);
  });
});
