import {
  describeModel,
  findVariable,
  formatDuration,
  type Plan,
  planDigest,
  type QuorumNumbers,
  resolveQuorum,
  variableRange,
} from '@coferment/consortium';
import type { LeavingItem, Mapping, PlanCheck } from '../data/index.js';
import type { RecordedDecision } from '../journal/approvals.repository.js';
import type { LocalRunState, RunRecord } from '../journal/runs.repository.js';
import { leavingItems } from './leaving.items.js';
import type { RuleResult, Verdict } from './policy.rules.js';

/** A column of this site's own records that a plan would read. */
export interface UsedColumn {
  source: string;
  column: string;
  unit: string;
}

export interface UsedVariable {
  variable: string;
  unit: string;
  /** The plan's public range. */
  low: number;
  high: number;
  /** Null where no mapping was given; empty where the mapping has none. */
  columns: UsedColumn[] | null;
}

export interface EarlierRun {
  run: string;
  ordinal: number;
  samePlan: boolean;
  sites: string[];
  /** Sites of the new run that this one had not, and the other way round. */
  added: string[];
  gone: string[];
}

/** One run of a plan, as somebody decides about it. Plain JSON. */
export interface PlanExplanation {
  plan: string;
  name: string;
  run: string;
  ordinal: number;
  state: LocalRunState;
  /** The latest decision of this site about the run; null before the first. */
  decided: RecordedDecision | null;
  predicts: UsedVariable;
  inputs: UsedVariable[];
  model: { kind: string; parameters: number };
  rounds: number;
  sites: string[];
  numbers: QuorumNumbers;
  quorum: { waitFor: 'all' | number; deadline: string; onDeadline: string };
  weighting: string;
  differentialPrivacy: false;
  leaves: readonly LeavingItem[];
  leavesBytes: number;
  /** Null where no mapping and records were given. */
  data: PlanCheck | null;
  earlier: EarlierRun[];
  policy: { file: string | null; verdict: Verdict; results: RuleResult[] };
  approveWith: string;
}

export interface ExplanationInput {
  plan: Plan;
  run: RunRecord;
  decided: RecordedDecision | undefined;
  /** Runs that were approved here before. */
  earlier: readonly RunRecord[];
  policy: PlanExplanation['policy'];
  data?: { mapping: Mapping; check: PlanCheck };
}

/** @throws ConsortiumError 'impossible-quorum' */
export function explainForSite({ plan, run, decided, earlier, policy, data }: ExplanationInput): PlanExplanation {
  const { sites } = run;
  const leaves = leavingItems(plan, sites.length);
  const used = (name: string): UsedVariable => ({
    ...standardOf(plan, name),
    columns: data === undefined ? null : columnsOf(data.mapping, name),
  });
  const { waitFor, deadline, onDeadline } = plan.quorum;
  return {
    plan: planDigest(plan),
    name: plan.plan,
    run: run.run,
    ordinal: run.ordinal,
    state: run.state,
    decided: decided ?? null,
    predicts: used(plan.target.variable),
    inputs: plan.sample.of.map(used),
    model: { kind: plan.model.kind, parameters: describeModel(plan).parameters },
    rounds: plan.rounds,
    sites,
    numbers: resolveQuorum(plan, sites.length),
    quorum: { waitFor, deadline: formatDuration(deadline), onDeadline },
    weighting: plan.weighting.by,
    differentialPrivacy: false,
    leaves,
    leavesBytes: leaves.reduce((sum, { bytes, times }) => sum + bytes * times, 0),
    data: data?.check ?? null,
    earlier: earlier.map((other) => difference(run, other)),
    policy,
    approveWith: `coferment-agent plans approve ${planDigest(plan)}${run.ordinal === 1 ? '' : ` --ordinal ${run.ordinal}`}`,
  };
}

function standardOf(plan: Plan, variable: string): Omit<UsedVariable, 'columns'> {
  const { low, high } = variableRange(plan, variable);
  return { variable, unit: findVariable(variable)?.unit ?? '', low, high };
}

function columnsOf({ sources }: Mapping, variable: string): UsedColumn[] {
  return sources.flatMap(({ name, columns }) => {
    const found = columns[variable];
    return found === undefined ? [] : [{ source: name, column: found.column, unit: found.unit }];
  });
}

function difference(run: RunRecord, other: RunRecord): EarlierRun {
  return {
    run: other.run,
    ordinal: other.ordinal,
    samePlan: other.plan === run.plan,
    sites: other.sites,
    added: run.sites.filter((site) => !other.sites.includes(site)),
    gone: other.sites.filter((site) => !run.sites.includes(site)),
  };
}
