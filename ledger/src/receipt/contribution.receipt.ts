import { type CommitmentOpening, type Predicate, type Statement, freezeContext } from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import type { VerifierKey } from '../note/index.js';
import type { WitnessPolicy } from '../policy/index.js';
import { opens } from './opening.file.js';
import type { ProvenStatement } from './proven.statement.js';

/** What a reader may lean on beside the proofs. */
export interface ReceiptTrust {
  readonly policy: WitnessPolicy;
  /** Hex: whose signature a freeze must have. Without it, it is said whose it has. */
  readonly operatorKey?: string | undefined;
  /** Hex: what the ledger enrolled for a site, where a whole ledger was read. */
  readonly enrolledKey?: ((site: string) => string | undefined) | undefined;
}

/** A freeze that counts a contribution, from a proof of its own or from a whole ledger that was verified. */
export interface CountingFreeze {
  readonly index: bigint;
  readonly predicate: Predicate<'round-frozen'>;
  /** Hex. */
  readonly signer: string;
}

export interface OpenedFact extends CommitmentOpening {
  readonly holds: boolean;
}

export type ReceiptVerdict = 'holds' | 'does-not-hold' | 'could-not-check';

/** Plain JSON: indexes and sizes, which are 64-bit, are decimal strings. */
export interface JudgedReceipt {
  readonly verdict: ReceiptVerdict;
  readonly site: string;
  /** The key that signed it, hex. */
  readonly key: string;
  readonly run: string;
  readonly sum: number;
  readonly kind: string;
  readonly attempt: number;
  /** SHA-256 of the signed contribution. */
  readonly contribution: string;
  readonly origin: string;
  readonly index: string;
  readonly size: string;
  /** Names of the policy's witnesses that have cosigned. */
  readonly witnesses: readonly string[];
  readonly frozenBy: { readonly index: string; readonly round: number; readonly sites: number; readonly signer: string } | undefined;
  readonly openings: readonly OpenedFact[];
  /** What does not hold, or could not be checked. */
  readonly problems: readonly string[];
}

type Contribution = ProvenStatement & { readonly statement: Statement<'contribution'> };

export function isContribution(proven: ProvenStatement): proven is Contribution {
  return proven.statement.name === 'contribution';
}

/**
 * Whether a contribution that is proven to be in the log was counted. In the log alone it only shows that it was sent: the operator's freeze of the sum
 * names who is in it, by the Merkle roots of the uploads.
 * @param freezes all that are at hand; those of other sums are passed over
 */
export function judgeContribution(
  proven: Contribution,
  freezes: readonly CountingFreeze[],
  openings: readonly CommitmentOpening[],
  trust: ReceiptTrust,
): JudgedReceipt {
  const { predicate, digest } = proven.statement;
  const { site, run, sum, kind, attempt } = predicate;
  const key = bytesToHex(proven.entry.publicKey);
  const wrong: string[] = [...witnessProblems(proven, trust.policy)];
  const enrolled = trust.enrolledKey?.(site);
  if (trust.enrolledKey && enrolled !== key)
    wrong.push(`It is signed with key ${key}; the ledger enrolled ${enrolled ?? 'no key'} for site "${site}".`);
  const freeze = freezes.find((candidate) => isOfSum(candidate.predicate, predicate));
  if (freeze) wrong.push(...freezeProblems(predicate, freeze, trust.operatorKey));
  const opened = openings.map((opening) => ({ ...opening, holds: opens(predicate, opening) }));
  for (const { fact, value, holds } of opened)
    if (!holds) wrong.push(`The opening does not fit: this contribution did not commit its site to ${fact} = ${value}.`);
  const missing = freeze
    ? []
    : [
        `It is logged; whether it was counted could not be checked. Add the proof of the freeze of sum ${sum}, or the ledger with --ledger.`,
      ];
  return {
    verdict: wrong.length > 0 ? 'does-not-hold' : missing.length > 0 ? 'could-not-check' : 'holds',
    site,
    key,
    run,
    sum,
    kind,
    attempt,
    contribution: digest,
    origin: proven.checkpoint.origin,
    index: proven.index.toString(),
    size: proven.checkpoint.size.toString(),
    witnesses: witnessesOf(proven, trust.policy).map(({ name }) => name),
    frozenBy: freeze && {
      index: freeze.index.toString(),
      round: freeze.predicate.round,
      sites: freeze.predicate.counted.length,
      signer: freeze.signer,
    },
    openings: opened,
    problems: [...wrong, ...missing],
  };
}

/** Empty when enough witnesses of the policy have cosigned the proof's checkpoint. */
export function witnessProblems(proven: ProvenStatement, policy: WitnessPolicy): string[] {
  const { note } = proven.checkpoint;
  if (policy.isMetBy(note.verifiedBy)) return [];
  const found = witnessesOf(proven, policy).length;
  return [
    `Entry ${proven.index}: ${found} of the policy's ${policy.witnesses.length} witnesses have cosigned; that does not meet its quorum "${policy.quorum ?? 'none'}".`,
  ];
}

export function witnessesOf({ checkpoint }: ProvenStatement, policy: WitnessPolicy): VerifierKey[] {
  return checkpoint.note.verifiedBy.filter((key) => policy.witnesses.includes(key));
}

function isOfSum(freeze: Predicate<'round-frozen'>, { consortium, run, kind, sum, e }: Predicate<'contribution'>): boolean {
  return freeze.consortium === consortium && freeze.run === run && freeze.kind === kind && freeze.sum === sum && freeze.e === e;
}

function freezeProblems(contribution: Predicate<'contribution'>, freeze: CountingFreeze, operatorKey: string | undefined): string[] {
  const { predicate, signer } = freeze;
  const { site, sum, merkleRoot, k, attempt } = contribution;
  const where = `The freeze of sum ${sum} (entry ${freeze.index})`;
  const counted = predicate.counted.find((entry) => entry.site === site);
  const excluded = predicate.excluded.find((entry) => entry.site === site);
  const problems: string[] = [];
  if (operatorKey !== undefined && signer !== operatorKey) problems.push(`${where} is signed with key ${signer}, not with the operator's.`);
  if (excluded) problems.push(`${where} does not count site "${site}": ${excluded.reason}.`);
  else if (!counted) problems.push(`${where} does not name site "${site}".`);
  else if (counted.merkleRoot !== merkleRoot) problems.push(`${where} counts another upload of site "${site}" than this one.`);
  if (predicate.k !== k || predicate.attempt !== attempt) problems.push(`${where} is of another attempt than this upload.`);
  if (freezeContext(predicate.k, predicate.counted) !== predicate.t)
    problems.push(`${where} has a T that does not follow from whom it counts.`);
  return problems;
}
