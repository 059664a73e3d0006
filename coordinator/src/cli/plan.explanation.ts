import {
  type QuorumNumbers,
  describeModel,
  explainAggregation,
  featureNames,
  formatDuration,
  parsePlan,
  planAggregation,
  planDigest,
  resolveQuorum,
  vectorShape,
} from '@coferment/consortium';
import type { AggregationParameters } from '@coferment/crypto';

/** What a plan comes to among so many sites. */
export interface PlanExplanation {
  plan: string;
  name: string;
  sites: number;
  numbers: QuorumNumbers;
  /** Sites that may be away while a counted set is signed, and key holders while a sum is opened. */
  absences: { attesting: number; opening: number };
  inputs: number;
  modelParameters: number;
  rounds: number;
  deadline: string;
  onDeadline: string;
  parameters: AggregationParameters;
  blocksPerUpdate: number;
  uploadBytesPerRound: number;
  shareBytesPerRound: number;
  bytesPerParameter: number;
  /** log2 of the advantage in telling real decryption shares from simulated ones over the whole run. */
  distinguishingAdvantageLog2: number;
}

/** @throws ConsortiumError 'invalid-plan', 'not-built-yet', 'impossible-quorum' with the numbers */
export function explainPlan(text: string, sites: number): PlanExplanation {
  const plan = parsePlan(text);
  const numbers = resolveQuorum(plan, sites);
  const { valueBits } = plan.quantisation;
  const parameters = planAggregation({ sites: numbers.n, keyHolders: numbers.m, threshold: numbers.tau, valueBits });
  const model = describeModel(plan);
  // Beside the rounds: one confirm sum of this site, the statistics and the last evaluation, none larger than an update.
  const load = explainAggregation(parameters, { shape: vectorShape(plan, 'update'), sums: plan.rounds + 3 });
  return {
    plan: planDigest(plan),
    name: plan.plan,
    sites,
    numbers,
    absences: { attesting: numbers.n - numbers.rho, opening: numbers.m - numbers.tau },
    inputs: featureNames(plan).length,
    modelParameters: model.parameters,
    rounds: plan.rounds,
    deadline: formatDuration(plan.quorum.deadline),
    onDeadline: plan.quorum.onDeadline,
    parameters,
    blocksPerUpdate: load.blocksPerSum,
    uploadBytesPerRound: load.uploadBytesPerSum,
    shareBytesPerRound: load.shareBytesPerSum,
    bytesPerParameter: load.bytesPerParameter,
    distinguishingAdvantageLog2: load.distinguishingAdvantageLog2,
  };
}

export function explanationText(explanation: PlanExplanation): string {
  const { numbers, parameters, absences } = explanation;
  return [
    `Plan "${explanation.name}" among ${explanation.sites} sites`,
    `  digest               ${explanation.plan}`,
    `  model                ${explanation.inputs} inputs, ${explanation.modelParameters} parameters, ${explanation.rounds} rounds`,
    `  a sum needs          ${numbers.minContributors} contributors; ${numbers.rho} of ${numbers.n} sites sign it; ${numbers.tau} of ${numbers.m} key holders open it`,
    `  safe against         the operator together with up to ${numbers.c} sites`,
    `  may be away          ${absences.attesting} sites while a sum is signed, ${absences.opening} key holders while it is opened`,
    `  at the deadline      ${explanation.onDeadline} after ${explanation.deadline}`,
    `  encryption           ${parameters.set}: ${parameters.digitsPerCoefficient} values of ${parameters.valueBits} bits a coefficient, ${parameters.keptBits} bits sent, ${parameters.droppedBits} dropped`,
    `  a site sends         ${explanation.uploadBytesPerRound} bytes a round (${explanation.bytesPerParameter.toFixed(1)} a parameter); a key holder ${explanation.shareBytesPerRound} more`,
    `  shares tell nothing  advantage 2^${explanation.distinguishingAdvantageLog2.toFixed(1)} over the whole run (κ = ${parameters.kappa}, an estimate)`,
    '  seen by all members  every sum: the mean update, the total weight, and the error over all holdouts. When the counted set changes by one',
    '                       site from one round to the next, the differences show its weight and holdout count, and, where a round moves the',
    '                       model only a little (large batches, low learning rate), much of its update. Differential privacy is not built yet',
  ].join('\n');
}
