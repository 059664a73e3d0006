import type { SumKind, Metrics } from '@coferment/consortium';
import type { CheckOutcome, CheckProblem, VerificationReport, Verdict } from '../verify/index.js';

/** An object that it takes and that is not in the export. */
export interface MissingObject {
  /** In the export. */
  readonly path: string;
  readonly what: string;
  /** Where the ledger names it. */
  readonly entry: string;
}

/** What came of one published sum. Plain JSON. */
export interface SumRecomputation {
  readonly run: string;
  readonly sum: number;
  readonly kind: SumKind;
  readonly round: number;
  /** Index of the operator's aggregate in the ledger. */
  readonly entry: number;
  readonly outcome: CheckOutcome;
  /** Sites whose uploads were added. */
  readonly counted: readonly string[];
  /** Key holders whose decryption shares opened it. */
  readonly holders: readonly string[];
  /** τ: shares that it takes. Those beyond it check the others. */
  readonly threshold: number;
  readonly blocks: number;
  readonly coefficients: number;
  /** Whether uploads and shares were opened again and gave the published sum, bit for bit. False for a sum that only leads to another one's model. */
  readonly opened: boolean;
  readonly modelIn: string;
  /** The model that follows from the sum, as recomputed here; `none` where none does or it could not be recomputed. */
  readonly modelOut: string;
  /** Of the incoming model, on the holdouts of the counted sites. */
  readonly metrics: Metrics | undefined;
  readonly problems: readonly CheckProblem[];
  readonly missing: readonly MissingObject[];
  /** Why something of it could not be recomputed although its own objects are there. */
  readonly unchecked: string | undefined;
}

/** What is collected about one sum. */
export interface Findings {
  readonly problems: CheckProblem[];
  readonly missing: MissingObject[];
  unchecked: string | undefined;
}

/** Plain JSON. */
export interface RecomputationReport {
  readonly verdict: Verdict;
  readonly summary: string;
  /** Of the ledger that everything was taken from. */
  readonly ledger: VerificationReport;
  readonly sums: readonly SumRecomputation[];
}

export function outcomeOf({ problems, missing, unchecked }: Findings): CheckOutcome {
  if (problems.length > 0) return 'fails';
  return missing.length > 0 || unchecked !== undefined ? 'unchecked' : 'holds';
}

export function recomputationReport(ledger: VerificationReport, sums: readonly SumRecomputation[]): RecomputationReport {
  const failed = sums.filter(({ outcome }) => outcome === 'fails').length;
  const unchecked = sums.filter(({ outcome }) => outcome === 'unchecked').length;
  const conclude = (verdict: Verdict, summary: string): RecomputationReport => ({ verdict, summary, ledger, sums });
  const of = `of ${sums.length} ${sums.length === 1 ? 'sum' : 'sums'}`;
  if (ledger.verdict === 'does-not-hold')
    return conclude('does-not-hold', 'the ledger itself does not hold, so nothing was recomputed from it');
  if (ledger.verdict === 'could-not-check')
    return conclude('could-not-check', 'the ledger itself could not be checked, so nothing was recomputed from it');
  if (failed > 0) return conclude('does-not-hold', `does not hold: ${failed} ${of} ${failed === 1 ? 'is' : 'are'} not what was published`);
  if (unchecked > 0) return conclude('could-not-check', `could not be checked: objects of ${unchecked} ${of} are not in the export`);
  if (ledger.verdict === 'self-consistent') return conclude('self-consistent', `recomputed bit for bit; the log's key was not checked`);
  return conclude('holds', 'holds: recomputed bit for bit');
}
