/** Absences that a plan for this many sites can bear: one from four sites on. */
function minContributors(sites: number): number {
  return sites < 4 ? sites : Math.max(collusionBound(sites) + 2, sites - 1);
}

/** Half of the sites, rounded down so that honest ones are always the majority; c + 2 contributors must still be possible. */
function collusionBound(sites: number): number {
  return Math.min(Math.floor((sites - 1) / 2), committee(sites).threshold - 1);
}

function committee(sites: number): { keyHolders: number; threshold: number } {
  const keyHolders = Math.min(sites, 7);
  return { keyHolders, threshold: Math.floor((2 * keyHolders) / 3) + 1 };
}

/**
 * The plan of the virtual consortium, as YAML text: a soft sensor that tells product concentration during production from six hours of online records.
 * Only intensive variables (per litre, per cent, kelvin), because the same recipe in another tank has other litres.
 */
export function consortiumPlan(sites: number): string {
  if (!Number.isInteger(sites) || sites < 3) throw new RangeError(`A consortium has at least 3 sites, not ${sites}.`);
  const { keyHolders, threshold } = committee(sites);
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
quorum: { minContributors: ${minContributors(sites)}, waitFor: all, deadline: 10 min }
weighting: { by: samples, cap: auto }
privacy: { keyHolders: ${keyHolders}, threshold: ${threshold}, collusionBound: ${collusionBound(sites)} }
evaluation: { metric: rmse, holdout: { byBatch: 0.2 } }
seed: 7
`;
}
