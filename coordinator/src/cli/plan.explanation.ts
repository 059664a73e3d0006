import {
  type BudgetStep,
  budgetSteps,
  describeModel,
  effectiveBits,
  explainAggregation,
  featureNames,
  formatDuration,
  type LatticeSecurity,
  latticeSecurity,
  MAX_BLOCKS_PER_EPOCH,
  packingAlternatives,
  parsePlan,
  type Plan,
  planAggregation,
  planDigest,
  requireListable,
  type QuorumNumbers,
  resolveQuorum,
  vectorShape,
} from '@coferment/consortium';
import { type AggregationParameters, parameterSet } from '@coferment/crypto';
import { type CollusionStatement, collusionStatement } from './collusion.statement.js';
import { type RoundTraffic, roundTraffic } from './round.traffic.js';

/** Another number of values to a coefficient, which a plan gets by asking for its value bits. */
export interface PackingOffer {
  valueBits: number;
  digitsPerCoefficient: number;
  bytesPerParameter: number;
}

/** Bits of a value that are left of an update after it was scaled by weight/cap. */
export interface EffectiveBits {
  /** Of a site with the mean weight; null where the plan names a cap, and how far the weights are below it is not known yet. */
  meanSite: { least: number; most: number } | null;
  rule: string;
}

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
  /** Why these parameters: both sides of every inequality. */
  choices: BudgetStep[];
  packingOffers: PackingOffer[];
  effectiveBits: EffectiveBits;
  lattice: LatticeSecurity;
  /** log2 of the advantage in telling real decryption shares from simulated ones; an estimate. */
  advantage: { blocks: number; wholeRunLog2: number; mostBlocks: number; mostLog2: number };
  collusion: CollusionStatement;
  blocksPerUpdate: number;
  /** Of an upload and of a decryption share. */
  bytesPerParameter: number;
  shareBytesPerParameter: number;
  traffic: RoundTraffic;
}

/** The schema takes no fewer. */
const FEWEST_VALUE_BITS = 4;

/** @throws ConsortiumError 'invalid-plan', 'not-built-yet', 'impossible-quorum', ConsortiumBudgetError 'packing-does-not-fit', 'noise-does-not-fit', with the numbers */
export function explainPlan(text: string, sites: number): PlanExplanation {
  const plan = parsePlan(text);
  const numbers = resolveQuorum(plan, sites);
  const { valueBits } = plan.quantisation;
  const parameters = planAggregation({ sites: numbers.n, keyHolders: numbers.m, threshold: numbers.tau, valueBits });
  requireListable(sites);
  const model = describeModel(plan);
  const shape = vectorShape(plan, 'update');
  // Beside the rounds: one confirm sum of this site, the statistics and the last evaluation, none larger than an update.
  const load = explainAggregation(parameters, { shape, sums: plan.rounds + 3 });
  const traffic = roundTraffic(parameters, shape);
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
    choices: budgetSteps(parameters, valueBits),
    packingOffers: packingAlternatives(sites, parameterSet(parameters.set).plainModulus, FEWEST_VALUE_BITS).map((offer) => ({
      valueBits: offer.valueBits,
      digitsPerCoefficient: offer.digitsPerCoefficient,
      bytesPerParameter: roundTraffic({ ...parameters, ...offer }, shape).objects.upload / model.parameters,
    })),
    effectiveBits: bitsLeft(plan, parameters.valueBits),
    lattice: latticeSecurity(parameters.set),
    advantage: {
      blocks: load.blocksPerEpoch,
      wholeRunLog2: load.distinguishingAdvantageLog2,
      mostBlocks: MAX_BLOCKS_PER_EPOCH,
      mostLog2: load.mostDistinguishingAdvantageLog2,
    },
    collusion: collusionStatement(numbers),
    blocksPerUpdate: load.blocksPerSum,
    bytesPerParameter: load.bytesPerParameter,
    shareBytesPerParameter: traffic.objects.share / model.parameters,
    traffic,
  };
}

function bitsLeft({ weighting }: Plan, valueBits: number): EffectiveBits {
  const left = (weight: number, cap: number): number => effectiveBits(valueBits, weight, cap);
  if (weighting.by === 'equal')
    return { meanSite: { least: left(1, 1), most: left(1, 1) }, rule: 'equal weights: every site keeps all bits' };
  const rule = 'a site of weight w under the cap keeps log2(cap/w) bits fewer';
  if (weighting.cap !== 'auto') return { meanSite: null, rule: `${rule}; this plan's cap is ${weighting.cap}` };
  // The power of two above twice the mean weight is more than two and at most four times the mean.
  return { meanSite: { least: left(1, 4), most: left(1, 2) }, rule: `${rule}; the cap is the power of two above twice the mean weight` };
}
