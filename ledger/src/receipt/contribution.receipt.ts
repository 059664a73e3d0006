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
  /** Hex: with which key the site of a contribution (by its digest) signed at that place of the log, where that is known. A site that came back has another one now. */
  readonly siteKey?: ((contribution: string) => string | undefined) | undefined;
}

/** A freeze that names whom a sum counts, from a proof of its own or from a whole ledger that was verified. */
export interface CountingFreeze {
  /** Of the log that it is in: what another log of the same policy freezes counts nothing here. */
  readonly origin: string;
  readonly index: bigint;
  readonly predicate: Predicate<'round-frozen'>;
  /** Hex. */
  readonly signer: string;
  /** The entry that opened the frozen sum; a freeze does not show that one followed. Only a whole ledger tells. */
  readonly aggregate: bigint | 'none' | 'not-looked-up';
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
  readonly frozenBy: FrozenBy | undefined;
  readonly openings: readonly OpenedFact[];
  /** What does not hold, or could not be checked. */
  readonly problems: readonly string[];
}

export interface FrozenBy {
  readonly index: string;
  readonly round: number;
  readonly sites: number;
  readonly signer: string;
  /** Entry of the aggregate, with which the sum was opened; only then the contribution went into a result. */
  readonly aggregate: string;
}

type Contribution = ProvenStatement & { readonly statement: Statement<'contribution'> };

export function isContribution(proven: ProvenStatement): proven is Contribution {
  return proven.statement.name === 'contribution';
}

/** The freeze that a proof is about, if it is about one. */
export function freezeOf({ statement, index, entry, checkpoint }: ProvenStatement): CountingFreeze | undefined {
  if (statement.name !== 'round-frozen') return undefined;
  const { origin } = checkpoint;
  return { origin, index, predicate: statement.predicate, signer: bytesToHex(entry.publicKey), aggregate: 'not-looked-up' };
}

/**
 * What became of a contribution that is proven to be in the log. In the log alone it only shows that it was sent: the operator's freeze of the sum
 * names who is in it, by the Merkle roots of the uploads, and the sum was counted once it was opened.
 * @param freezes all that are at hand; those of other sums and other logs are passed over
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
  const siteKey = trust.siteKey?.(digest);
  if (siteKey !== undefined && siteKey !== key)
    wrong.push(`It is signed with key ${key}; site "${site}" had key ${siteKey} when it was logged.`);
  const { origin } = proven.checkpoint;
  const freeze = freezes.find((candidate) => candidate.origin === origin && isOfSum(candidate.predicate, predicate));
  if (freeze) wrong.push(...freezeProblems(predicate, freeze, trust.operatorKey));
  const opened = openings.map((opening) => ({ ...opening, holds: opens(predicate, opening) }));
  for (const { fact, value, holds } of opened)
    if (!holds) wrong.push(`The opening does not fit: this contribution did not commit its site to ${fact} = ${value}.`);
  const missing = missingProblems(sum, freeze);
  return {
    verdict: wrong.length > 0 ? 'does-not-hold' : missing.length > 0 ? 'could-not-check' : 'holds',
    site,
    key,
    run,
    sum,
    kind,
    attempt,
    contribution: digest,
    origin,
    index: proven.index.toString(),
    size: proven.checkpoint.size.toString(),
    witnesses: witnessesOf(proven, trust.policy).map(({ name }) => name),
    frozenBy: freeze && {
      index: freeze.index.toString(),
      round: freeze.predicate.round,
      sites: freeze.predicate.counted.length,
      signer: freeze.signer,
      aggregate: freeze.aggregate.toString(),
    },
    openings: opened,
    problems: [...wrong, ...missing],
  };
}

function missingProblems(sum: number, freeze: CountingFreeze | undefined): string[] {
  if (!freeze)
    return [
      `It is logged; whether it was counted could not be checked. Add the proof of the freeze of sum ${sum}, or the ledger with --ledger.`,
    ];
  if (freeze.aggregate !== 'none') return [];
  return [
    `Sum ${sum} was frozen, and this ledger does not say that it was opened: up to its last entry the contribution has gone into no result.`,
  ];
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
