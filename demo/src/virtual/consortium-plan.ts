import { quorumNumbers } from '@coferment/consortium';

/**
 * The plan of the virtual consortium, as YAML text: a soft sensor that tells product concentration during production from six hours of online records.
 * Only intensive variables (per litre, per cent, kelvin), because the same recipe in another tank has other litres.
 * Committee and quorum are those that the number of sites gives: five sites hold five keys, four of which open a sum, and one site may be away.
 * @throws ConsortiumBudgetError 'invalid-number' below 3 sites.
 */
export function consortiumPlan(sites: number): string {
  const { keyHolders, threshold, collusion, minContributors } = quorumNumbers({ n: sites });
  return `schema: 1
plan: virtual-product-soft-sensor
task: regression
sample:
  every: 1 h
  window: 6 h
  of: [temperature, oxygen_uptake_rate, carbon_evolution_rate]
  summarise: [last, mean, slope]
  phase: induction
  ranges:
    temperature: [10, 50]
    oxygen_uptake_rate: [0, 400]
    carbon_evolution_rate: [0, 400]
    time_since_phase: [0, 60]
    product_concentration: [0, 40]
target: { variable: product_concentration, at: now }
features:
  - time_since_phase
  - product: [time_since_phase, temperature.mean]
  - product: [time_since_phase, oxygen_uptake_rate.mean]
normalisation: federated
model: { kind: mlp, hidden: [32, 16], activation: relu }
training: { epochs: 2, batchSize: 32, optimizer: adam, learningRate: 0.01 }
strategy: { kind: fedavg }
rounds: 10
quorum: { minContributors: ${minContributors}, waitFor: all, deadline: 10 min }
weighting: { by: samples, cap: auto }
privacy: { keyHolders: ${keyHolders}, threshold: ${threshold}, collusionBound: ${collusion} }
evaluation: { metric: rmse, holdout: { byBatch: 0.2 } }
seed: 7
`;
}
