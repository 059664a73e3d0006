import { type Statement, parseStatement } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { Evidence, type Recorded } from './evidence.js';
import { RUN, sampleLedger } from './sample-ledger.fixture.js';

/** The statements of a ledger, one after the other, with the evidence that each of them leaves. */
function* taken(rounds: number): Generator<{ recorded: Recorded; evidence: Evidence }> {
  const evidence = new Evidence();
  for (const [index, payload] of sampleLedger(undefined, rounds).payloads.entries()) {
    const recorded = { ...(parseStatement(payload) as Statement), index } as Recorded;
    evidence.take(recorded);
    yield { recorded, evidence };
  }
}

describe('what is remembered of a ledger', () => {
  it('is all of a sum until it has its result, and then only that it had one', () => {
    for (const { recorded, evidence } of taken(3)) {
      if (recorded.name === 'share') {
        expect(evidence.openSum(RUN, recorded.predicate.sum)?.frozen).toBeDefined();
        expect(evidence.openSum(RUN, recorded.predicate.sum)?.shares.size).toBeGreaterThan(0);
      }
      if (recorded.name !== 'aggregate') continue;
      const { sum, k, t, modelIn } = recorded.predicate;
      expect(evidence.openSum(RUN, sum)).toBeUndefined();
      expect([evidence.isFrozen(RUN, sum), evidence.isFrozenAs(RUN, sum, k, t), evidence.hasResult(RUN, sum)]).toEqual([true, true, true]);
      expect([evidence.wasTakenOn(RUN, sum, modelIn), evidence.isFrozenAs(RUN, sum, t, k), evidence.wasTakenOn(RUN, sum, k)]).toEqual([
        true,
        false,
        false,
      ]);
    }
  });

  it('is kept of very many approvals of one run without copying all of them for each', () => {
    const evidence = new Evidence();
    const started = performance.now();
    for (let index = 0; index < 40_000; index++) {
      const predicate = { consortium: 'a', site: `s${index}`, plan: 'p', ordinal: 1, sites: [] };
      evidence.take({ name: 'plan-approved', index, digest: '', publicKey: '', predicate });
    }
    expect(performance.now() - started).toBeLessThan(2000);
    expect(evidence.approvals('p', 1)).toHaveLength(40_000);
  });

  it('is nothing of late attestations and shares, of approvals of a run that goes on, or of what led to a key epoch', () => {
    for (const { recorded, evidence } of taken(1)) {
      if (recorded.name === 'run-opened') expect(evidence.approvals(recorded.predicate.plan, 1)).toEqual([]);
      if (recorded.name === 'key-epoch') expect(evidence.epochActs(recorded.predicate.e0).dealings.size).toBe(0);
      if (recorded.name !== 'attestation') continue;
      const again = new Evidence();
      const { sum } = recorded.predicate.sums[0]!;
      again.take({ name: 'run-closed', index: 0, digest: '', predicate: { run: RUN } } as Recorded);
      again.take(recorded);
      expect(again.openSum(RUN, sum)).toBeUndefined();
    }
  });
});
