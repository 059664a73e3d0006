import { z } from 'zod';
import type { FaultName } from '../cli/demo.options.js';
import type { Comparison } from '../comparison/comparison.result.js';
import { DemoError } from '../errors/index.js';
import type { Audit } from '../members/auditor.member.js';
import type { RoundView, RunView } from '../run/run.view.js';
import { type Summary, summarySchema } from './summary.schema.js';

/** Says in the summary where the auditor had the log's key from: not from the export, and not from the coordinator's database. */
export const KEY_SOURCE = "the coordinator's first line of output";

export interface SummaryParts {
  readonly fault: FaultName;
  readonly backends: readonly string[];
  readonly modelFile: string;
  readonly reportFile: string;
  readonly run: RunView;
  readonly comparison: Comparison;

  readonly audit: Audit;
  readonly startedMs: number;
  readonly endedMs: number;
}

/**
 * Puts the summary together and checks it against its schema before anybody reads it.
 * @throws DemoError 'bad-answer' when a part is missing or has a wrong form.
 */
export function assembleSummary(parts: SummaryParts): Summary {
  const { run, comparison, audit } = parts;
  const { verdict, recomputed, receipt } = audit;
  const rounds = trainingRounds(run);
  const summary = {
    schemaVersion: 1,
    machine: { node: process.version, backend: parts.backends.join(', ') },
    fault: parts.fault,
    model: { digest: run.model, file: parts.modelFile, parameters: run.modelParameters },
    run: { id: run.run, planDigest: run.plan, status: run.state, rounds: rounds.length },
    sites: comparison.sites,
    metric: comparison.metric,
    aggregation: {
      parameters: parameterSetName(run),
      keyHolders: run.keyHolders.length,
      threshold: run.threshold,
      collusionBound: run.collusionBound,
      attestQuorum: run.attestQuorum,
      modelParameters: run.modelParameters,
      uploadBytesPerParameter: (rounds[0]?.uploadBytes ?? 0) / run.modelParameters,
      rounds: rounds.map(({ round, attempt, counted, excluded }) => ({ round, attempt, counted, excluded })),
    },
    ledger: { origin: verdict.origin, size: verdict.size, rootHash: verdict.rootHash, keySource: KEY_SOURCE, verified: verdict.verified },
    audit: {
      witnesses: verdict.witnesses.length,
      sumsRecomputed: recomputed.sums,
      recomputedBitForBit: recomputed.same,
      receipt: { site: receipt.site, holds: receipt.holds, witnesses: receipt.witnesses },
      report: parts.reportFile,
    },
    seconds: { total: (parts.endedMs - parts.startedMs) / 1000, perRoundMedian: median(rounds.map(roundSeconds)) },
  };
  const checked = summarySchema.safeParse(summary);
  if (!checked.success) throw new DemoError('bad-answer', `The summary is incomplete:\n${z.prettifyError(checked.error)}`);
  return checked.data;
}

/** Training rounds that were applied, in order. */
export function trainingRounds(run: RunView): RoundView[] {
  return run.rounds.filter((round) => round.kind === 'update' && round.state === 'closed').sort((a, b) => a.round - b.round);
}

export function roundSeconds(round: RoundView): number {
  return Math.max(0, round.closedMs - round.openedMs) / 1000;
}

function parameterSetName(run: RunView): string {
  const parameters = z.object({ set: z.string() }).safeParse(JSON.parse(run.parameters || '{}'));
  return parameters.success ? parameters.data.set : '';
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
