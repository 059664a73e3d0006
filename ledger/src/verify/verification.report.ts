/** What the auditor looks at, in this order. */
export type CheckId =
  | 'checkpoint'
  | 'witnesses'
  | 'charter-witnesses'
  | 'root'
  | 'extends'
  | 'tiles'
  | 'entries'
  | 'payloads'
  | 'signatures'
  | 'runs'
  | 'key-epochs'
  | 'counted-sets'
  | 'contexts'
  | 'contributions'
  | 'one-set'
  | 'certificates'
  | 'shares'
  | 'models'
  | 'totals'
  | 'objects';

export const checkTitles: Readonly<Record<CheckId, string>> = {
  checkpoint: "The checkpoint is signed by the log's key",
  witnesses: 'Enough witnesses have cosigned the checkpoint',
  'charter-witnesses': 'As many witnesses as the charter asks for have cosigned the checkpoint',
  root: 'The entries are exactly those that the checkpoint commits to',
  extends: 'The log still begins with the earlier checkpoint',
  tiles: 'The hash tiles agree with the entries',
  entries: 'Every entry is well formed',
  payloads: 'The statement of every entry is there, unchanged',
  signatures: 'Every statement is signed by a key that was enrolled at that time',
  runs: 'Every run was approved by each of its sites',
  'key-epochs': 'Every key epoch was dealt, acknowledged and agreed by its sites',
  'counted-sets': 'Every sum counts each site at most once, counts enough sites, and names all others with a reason',
  contexts: 'Every context and freeze digest follows from its recorded parts',
  contributions: 'Every counted upload is recorded, signed by its site for exactly this sum',
  'one-set': 'No model version was ever summed over two different sets of sites',
  certificates: 'Enough sites attested exactly the counted set of every opened sum',
  shares: 'Enough key holders signed the decryption shares of each sum',
  models: 'Every sum starts from the model that the one before left',
  totals: 'Rounds and contributions add up',
  objects: 'The stored objects in the export are unchanged',
};

/** `unchecked`: what it takes is not there, or an earlier failure took it away. */
export type CheckOutcome = 'holds' | 'fails' | 'unchecked';

export interface CheckProblem {
  /** What is concerned: `entry 12 (round-frozen)`, a path in the export, … */
  readonly where: string;
  readonly problem: string;
}

export interface CheckResult {
  readonly id: CheckId;
  readonly title: string;
  readonly outcome: CheckOutcome;
  /** What was looked at, or why it could not be. */
  readonly detail: string;
  readonly problems: readonly CheckProblem[];
  /** An optional check that could not be made leaves the verdict as it is. */
  readonly optional: boolean;
}

/**
 * - `holds`: everything was checked, under a key from outside the export.
 * - `self-consistent`: everything holds, but the log's key came from the export itself, so its maker could have made up all of it.
 * - `does-not-hold`: at least one check fails.
 * - `could-not-check`: nothing fails, but something could not be checked.
 */
export type Verdict = 'holds' | 'self-consistent' | 'does-not-hold' | 'could-not-check';

export interface RunTotals {
  readonly run: string;
  /** Training rounds with a published sum. */
  readonly rounds: number;
  /** Training rounds in which the site was counted. */
  readonly contributions: readonly { readonly site: string; readonly updates: number }[];
}

export interface LogSummary {
  readonly origin: string;
  /** Entries; a decimal string because sizes are 64-bit. */
  readonly size: string;
  /** Hex. */
  readonly root: string;
  /** `name+keyID` of every known key that signed the checkpoint, the log's and witnesses'. */
  readonly signedBy: readonly string[];
}

/** Plain JSON. */
export interface VerificationReport {
  readonly verdict: Verdict;
  readonly summary: string;
  readonly log: LogSummary | undefined;
  readonly consortium: string | undefined;
  /** Hex. */
  readonly operatorKey: string | undefined;
  /** Whether the operator's key was given from outside; otherwise it is the one of the log's first entry. */
  readonly operatorKeyPinned: boolean;
  readonly totals: readonly RunTotals[];
  readonly checks: readonly CheckResult[];
}

/** What one check found. No problems and no reason for not checking means that it holds. */
export interface Finding {
  readonly detail: string;
  readonly problems?: readonly CheckProblem[];
  readonly unchecked?: boolean;
  readonly optional?: boolean;
}

/** `1 run`, `2 runs`. */
export function countOf(count: number | bigint, what: string): string {
  return `${count} ${what}${Number(count) === 1 ? '' : 's'}`;
}

export function checkResult(id: CheckId, { detail, problems = [], unchecked = false, optional = false }: Finding): CheckResult {
  const outcome: CheckOutcome = problems.length > 0 ? 'fails' : unchecked ? 'unchecked' : 'holds';
  return { id, title: checkTitles[id], outcome, detail, problems, optional };
}

export function verdictOf(checks: readonly CheckResult[], keyIsFromOutside: boolean): { verdict: Verdict; summary: string } {
  const failed = checks.filter((check) => check.outcome === 'fails').length;
  const unchecked = checks.filter((check) => check.outcome === 'unchecked' && !check.optional).length;
  if (failed > 0) return { verdict: 'does-not-hold', summary: `does not hold: ${failed} of ${checks.length} checks fail` };
  if (unchecked > 0)
    return { verdict: 'could-not-check', summary: `could not be checked: ${unchecked} of ${checks.length} checks were not possible` };
  if (!keyIsFromOutside) return { verdict: 'self-consistent', summary: 'consistent with itself; key not checked' };
  return { verdict: 'holds', summary: 'holds' };
}
