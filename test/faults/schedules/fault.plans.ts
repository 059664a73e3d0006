import type { Patience } from './fault.schedule.js';

/** Training rounds of a run under faults: few, because a schedule is to take seconds; two, so that the second stands on a model that the first has made. */
export const ROUNDS = 2;

const QUORUM: Record<Patience, string> = {
  // Nobody is absent and no deadline passes: whoever was counted in the run without faults is counted here.
  waiting: '{ minContributors: 4, absentAfterPolls: 1000, deadline: 10 h, onDeadline: wait }',
  quorum: '{ minContributors: 3, absentAfterPolls: 2, deadline: 5 s, onDeadline: proceed-with-quorum }',
};

/** A linear model on the planted records; the ceremony, the encryption (set STANDARD) and the openings are those of any run. */
export function faultPlan(patience: Patience, rounds = ROUNDS): string {
  return `schema: 1
plan: faults-${patience}
sample:
  at: samples
  window: 1 h
  of: [temperature, ph]
  summarise: [last, mean]
  ranges: { temperature: [0, 60], ph: [5, 9], time_since_phase: [0, 24], product_concentration: [0, 40] }
  phase: batch
target: { variable: product_concentration }
features: [time_since_phase]
model: { kind: linear }
training: { epochs: 1, learningRate: 0.01 }
rounds: ${rounds}
quorum: ${QUORUM[patience]}
evaluation: { holdout: { byBatch: 0.25 } }
`;
}
