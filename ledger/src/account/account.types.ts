import type { ExclusionReason, Predicate, SumKind } from '@coferment/consortium';

/** The form of the JSON; a change that breaks a reader gets another number. */
export const ACCOUNT_FORMAT = 'coferment-account/v1';

/**
 * Where a site stands in one training round. The reasons are those that the ledger names; beside them:
 * - `counted`: in the counted set of a sum that was opened, with an upload that the site itself has signed for it.
 * - `not-opened`: ready or in the counted set of a sum that was not opened up to this checkpoint.
 * - `left-out`: not in the key epoch of the sum.
 * - `unproven`: the operator says that it is counted, but no upload signed by the site shows it.
 * - `unnamed`: the ledger says nothing of it, against the rules.
 */
export const standings = [
  'counted',
  'late',
  'dropped',
  'refused',
  'absent',
  'set-aside',
  'left-out',
  'not-opened',
  'unproven',
  'unnamed',
] as const;
export type Standing = (typeof standings)[number];

/**
 * What the ledger says last of a sum. `collecting`: uploads, and no decision; `frozen`: its set is fixed and it is not opened. Both may be all that comes of it,
 * where a later sum takes its place.
 */
export type SumOutcome = 'opened' | 'abandoned' | 'garbled' | 'stuck' | 'frozen' | 'collecting';

/** Numbers that the site has opened to whoever made this account; verified against what it signed. */
export interface OpenedFacts {
  readonly samples?: number;
  readonly batches?: number;
  /** SHA-256 of the data report, hex. */
  readonly dataReport?: string;
}

export interface CountedUpload {
  readonly site: string;
  /** SHA-256 of the signed contribution: its text is `payloads/<this>.json`, with the commitments in it. */
  readonly contribution: string;
  readonly backend: Predicate<'contribution'>['backend'];
  readonly opened: OpenedFacts;
}

export interface ExcludedSite {
  readonly site: string;
  /** `ready`: had done its part in a sum that was given up. */
  readonly reason: ExclusionReason | 'ready';
  /** How it came to that, in the operator's words. */
  readonly detail?: string | undefined;
}

/** What kept a sum from being opened, once or more often. */
export interface SumTrouble {
  readonly entry: number;
  readonly what: 'abandoned' | 'garbled' | 'stuck';
  readonly reason: string;
  /** Whom the checks of the protocol name as at fault. */
  readonly named: readonly string[];
}

export interface SumRecord {
  readonly sum: number;
  readonly kind: SumKind;
  /** Training round, from 1; of an evaluation the rounds done; 0 otherwise. Undefined while only uploads are there. */
  readonly round: number | undefined;
  readonly epoch: number | undefined;
  /** The attempt that the set was frozen in, or the last that is known. */
  readonly attempt: number;
  readonly outcome: SumOutcome;
  /** A later sum over the same round, in another key epoch. */
  readonly continuedAs: number | undefined;
  readonly frozenIn: number | undefined;
  readonly openedIn: number | undefined;
  readonly counted: readonly CountedUpload[];
  /** Named as counted, with no upload signed by them that shows it. */
  readonly unproven: readonly string[];
  readonly excluded: readonly ExcludedSite[];
  readonly troubles: readonly SumTrouble[];
  readonly modelOut: string | undefined;
}

export interface EpochRecord {
  readonly epoch: number;
  readonly entry: number;
  readonly keyHolders: readonly string[];
  readonly threshold: number;
  readonly collusionBound: number;
  readonly minContributors: number;
  readonly sites: readonly string[];
  readonly leftOut: readonly string[];
  /** Why there is another than the first. */
  readonly reason: string | undefined;
  readonly replaced: readonly string[];
  /** Sites that have left this epoch by themselves. */
  readonly left: readonly { readonly site: string; readonly reason: string; readonly entry: number }[];
}

/** One site in one run. Every number is a count of entries of the ledger. */
export interface SiteAccount {
  readonly site: string;
  /** Training rounds by where the site stands in them; they add up to the decided training rounds of the run. */
  readonly rounds: Readonly<Record<Standing, number>>;
  /** The training rounds in which it is not counted. */
  readonly notCounted: readonly { readonly round: number; readonly sum: number; readonly standing: Standing }[];
  /** Attempts of training rounds for which it signed an upload. */
  readonly attempts: { readonly takenPart: number; readonly counted: number; readonly notCounted: number };
  /** Counted in opened sums that train nothing. */
  readonly otherSums: Readonly<Record<Exclude<SumKind, 'update'>, number>>;
  /** Of its counted uploads in training rounds. */
  readonly data: {
    readonly committed: number;
    /** How many of them it has opened, and between which numbers they lie. */
    readonly samples: OpenedRange;
    readonly batches: OpenedRange;
    /** How many it has opened, and how often two that follow each other differ. */
    readonly dataReports: { readonly opened: number; readonly changes: number };
  };
  readonly backends: Readonly<Partial<Record<Predicate<'contribution'>['backend'], number>>>;
  /** Decryption shares, of all kinds of sums: that opened a sum; that came for an opened sum and are not named in it; for sums not opened. */
  readonly shares: { readonly used: number; readonly unused: number; readonly notOpened: number };
  /** Counted sets that it has attested, and those of them that a certificate names. */
  readonly attestations: { readonly signed: number; readonly named: number };
  /** Dealings that a key epoch names, and acknowledgements and refusals of others' dealings as key holder. */
  readonly dealings: { readonly dealt: number; readonly acknowledged: number; readonly refused: number };
}

export interface OpenedRange {
  readonly opened: number;
  readonly smallest: number | undefined;
  readonly largest: number | undefined;
}

/** The error of one model over the holdout records of the sites that were summed. */
export interface ErrorRecord {
  readonly entry: number;
  readonly sum: number;
  /** The training round that left this model; 0 for the first one, undefined where the ledger does not show it. */
  readonly afterRound: number | undefined;
  readonly metric: string;
  readonly value: number;
  readonly holdoutCount: number;
  /** Against the evaluation before it of the same metric; undefined for the first. */
  readonly change: number | undefined;
}

export type RunStatus = 'open' | Predicate<'run-closed'>['status'];

export interface RunAccount {
  readonly run: string;
  readonly plan: string;
  readonly ordinal: number;
  readonly openedIn: number;
  readonly sites: readonly string[];
  readonly status: RunStatus;
  /** Training rounds with an opened sum. */
  readonly rounds: number;
  /** Training rounds of which the ledger says how they ended up to this checkpoint, opened or not. */
  readonly decidedRounds: number;
  /** What the operator said when it closed the run, and whether that is what is counted here. */
  readonly closing: { readonly entry: number; readonly rounds: number; readonly agrees: boolean } | undefined;
  readonly releasedModel: string | undefined;
  readonly epochs: readonly EpochRecord[];
  readonly sums: readonly SumRecord[];
  readonly contributions: readonly SiteAccount[];
  readonly errors: readonly ErrorRecord[];
}

export interface SiteRecord {
  readonly site: string;
  readonly membership: 'enrolled' | 'left' | 'revoked';
  /** Entries that enrolled it; more than one where it came again. */
  readonly enrolledIn: readonly number[];
  readonly endedIn: number | undefined;
  readonly reason: string | undefined;
  readonly identityKey: string;
  /** The Ed25519 key with which it cosigns checkpoints now, hex. */
  readonly witnessKey: string | undefined;
}

export interface PlanRecord {
  readonly plan: string;
  readonly name: string;
  readonly publishedIn: number;
  readonly approvals: readonly { readonly site: string; readonly ordinal: number; readonly entry: number }[];
}

/** An opening that opens nothing here. */
export interface OpeningProblem {
  readonly contribution: string;
  readonly problem: string;
}

/** Plain JSON, derived from the verified entries of a ledger and the openings that were given, and from nothing else. Entries are numbered from 0. */
export interface LedgerAccount {
  readonly format: typeof ACCOUNT_FORMAT;
  readonly consortium: string | undefined;
  readonly origin: string | undefined;
  readonly charter:
    | {
        readonly ledgerReaders: Predicate<'charter'>['ledgerReaders'];
        readonly siteNames: Predicate<'charter'>['siteNames'];
        readonly witnessQuorum: Predicate<'charter'>['witnessQuorum'];
        readonly witnesses: readonly string[];
      }
    | undefined;
  readonly sites: readonly SiteRecord[];
  readonly plans: readonly PlanRecord[];
  readonly runs: readonly RunAccount[];
  readonly openings: { readonly verified: number; readonly problems: readonly OpeningProblem[] };
}
