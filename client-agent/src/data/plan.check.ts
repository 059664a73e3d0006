import { type Plan, planDigest, targetRange } from '@coferment/consortium';
import { type BatchUse, buildDataset, type ColumnSpread, columnSpreads, type SiteBatch } from '@coferment/learning';
import type { DataFlag, DataReport } from './data.report.js';

/** One class of bytes that a run sends, as the caller computed it from the plan and the parameters. */
export interface LeavingItem {
  readonly name: string;
  /** Bytes of one such message. */
  readonly bytes: number;
  /** How often in the whole run. */
  readonly times: number;
}

export type PlanProblem =
  | { readonly kind: 'variable-not-mapped'; readonly text: string }
  | { readonly kind: 'no-training-rows'; readonly text: string }
  | { readonly kind: 'no-holdout'; readonly text: string }
  | { readonly kind: 'outside-plan-range'; readonly text: string };

/** What one plan would do with one site's data. Computed without training and without a network. */
export interface PlanCheck {
  readonly site: string;
  readonly plan: string;
  readonly planDigest: string;
  /** Names exactly the rows that would be used. */
  readonly manifestDigest: string;
  readonly batches: readonly BatchUse[];
  readonly trainRows: number;
  readonly holdoutRows: number;
  readonly dropped: readonly { readonly reason: string; readonly count: number }[];
  /** Input columns of the training rows beside the plan's public ranges; the target comes last. */
  readonly columns: readonly ColumnSpread[];
  /** Findings of the data report in the variables that this plan uses. */
  readonly flags: readonly DataFlag[];
  readonly leaves: readonly LeavingItem[];
  readonly problems: readonly PlanProblem[];
}

/**
 * Shows what a plan would use of a site's data, and what would leave the site.
 * @throws LearningError 'malformed-batch'
 */
export function checkData(input: {
  plan: Plan;
  batches: readonly SiteBatch[];
  report: DataReport;
  leaves: readonly LeavingItem[];
}): PlanCheck {
  const { plan, batches, report, leaves } = input;
  const dataset = buildDataset(plan, batches);
  const columns = dataset.train.rows === 0 ? [] : [...columnSpreads(plan, dataset.train), targetSpread(plan, dataset.train.targets)];
  const used = new Set([...plan.sample.of, plan.target.variable]);
  return {
    site: report.site,
    plan: plan.plan,
    planDigest: planDigest(plan),
    manifestDigest: dataset.manifestDigest,
    batches: dataset.batches,
    trainRows: dataset.train.rows,
    holdoutRows: dataset.holdout.rows,
    dropped: dataset.dropped,
    columns,
    flags: report.flags.filter(({ variable }) => variable === undefined || used.has(variable)),
    leaves,
    problems: [...notMapped(plan, batches), ...emptyParts(dataset.train.rows, dataset.holdout.rows), ...outsideRange(columns)],
  };
}

function targetSpread(plan: Plan, targets: Float32Array): ColumnSpread {
  const { name, low: planLow, high: planHigh } = targetRange(plan);
  return {
    name,
    planLow,
    planHigh,
    low: targets.reduce((a, b) => Math.min(a, b), Infinity),
    high: targets.reduce((a, b) => Math.max(a, b), -Infinity),
    outside: targets.filter((value) => value < planLow || value > planHigh).length,
  };
}

function notMapped(plan: Plan, batches: readonly SiteBatch[]): PlanProblem[] {
  const has = (name: string) =>
    batches.some(({ series, samples }) => series[name] !== undefined || samples.some(({ values }) => values[name] !== undefined));
  const online = plan.sample.of.filter((name) => !batches.some(({ series }) => series[name] !== undefined));
  const missing = [...online, ...(has(plan.target.variable) ? [] : [plan.target.variable])];
  return missing.map((name) => ({
    kind: 'variable-not-mapped',
    text: `the plan needs ${name}${name === plan.target.variable ? '' : ' as an online series'}, and no batch has it. Map it, or reject the plan.`,
  }));
}

function emptyParts(train: number, holdout: number): PlanProblem[] {
  if (train === 0)
    return [{ kind: 'no-training-rows', text: 'no row is left for training, so this site cannot contribute. See why rows were left out.' }];
  if (holdout === 0)
    return [{ kind: 'no-holdout', text: 'no batch is held out here, so this site cannot say how good the model is on its own batches.' }];
  return [];
}

function outsideRange(columns: readonly ColumnSpread[]): PlanProblem[] {
  return columns
    .filter(({ outside }) => outside > 0)
    .map(({ name, outside, planLow, planHigh }) => ({
      kind: 'outside-plan-range',
      text: `${name}: ${outside} ${outside === 1 ? 'value lies' : 'values lie'} outside the plan's range ${planLow} to ${planHigh}; in the encrypted statistics they count as the end of the range. Check the unit.`,
    }));
}
