import type { Predicate, SumKind } from '@coferment/consortium';
import type { Recorded } from '../verify/index.js';
import type { CountedUpload, ExcludedSite, OpenedFacts, Standing, SumOutcome, SumRecord, SumTrouble } from './account.types.js';

interface Upload extends Pick<Predicate<'contribution'>, 'attempt' | 'k' | 'merkleRoot'> {
  readonly counts: CountedUpload;
}

/** Without nonces and digests, which are the larger part of it and say nothing of contributions once the uploads are found. */
interface Freeze extends Pick<Predicate<'round-frozen'>, 'epoch' | 'round' | 'attempt' | 'modelIn' | 'k' | 't' | 'excluded'> {
  readonly index: number;
  readonly sites: readonly string[];
}

interface Opening extends Pick<Predicate<'aggregate'>, 'k' | 't' | 'shares' | 'modelOut'> {
  readonly index: number;
}

/** What the ledger says of one sum, gathered in whatever order it says it. Once the sum is frozen and opened, only what counts is kept. */
export class SumBook {
  readonly #troubles: SumTrouble[] = [];
  readonly #attempts = new Set<string>();
  /** Whose signature it is, by digest. */
  readonly #shares = new Map<string, string>();
  /** Uploads of before the freeze, and what the freeze names and has not been found yet. */
  #early: Upload[] = [];
  #awaited = new Map<string, string>();
  readonly #proven = new Map<string, CountedUpload>();
  /** The same of attestations: whose they are, by digest. */
  readonly #unplaced = new Map<string, string>();
  #named = new Map<string, string>();
  readonly #attested = new Set<string>();
  readonly #certified = new Set<string>();
  #frozen: Freeze | undefined;
  #opening: Opening | undefined;
  #abandoned: Predicate<'round-abandoned'> | undefined;

  constructor(
    readonly sum: number,
    readonly kind: SumKind,
    /** E of the key epoch that it is in. */
    readonly e: string,
  ) {}

  upload({ digest, predicate }: Recorded<'contribution'>, opened: OpenedFacts): void {
    const { site, attempt, k, merkleRoot, backend } = predicate;
    this.#attempts.add(`${attempt} ${site}`);
    this.#early.push({ attempt, k, merkleRoot, counts: { site, contribution: digest, backend, opened } });
    this.#prove();
  }

  share({ digest, predicate }: Recorded<'share'>): void {
    this.#shares.set(digest, predicate.site);
  }

  attestation(digest: string, site: string): void {
    this.#attested.add(site);
    this.#unplaced.set(digest, site);
    this.#certify();
  }

  freeze({ index, predicate }: Recorded<'round-frozen'>): void {
    if (this.#frozen !== undefined) return;
    const { epoch, round, attempt, modelIn, k, t, counted, excluded } = predicate;
    this.#awaited = new Map(counted.map(({ site, merkleRoot }) => [site, merkleRoot]));
    this.#frozen = { index, epoch, round, attempt, modelIn, k, t, sites: [...this.#awaited.keys()], excluded };
    this.#prove();
    this.#certify();
  }

  open({ index, predicate: { k, t, certificate, shares, modelOut } }: Recorded<'aggregate'>): void {
    if (this.#opening !== undefined) return;
    this.#named = new Map(certificate.map(({ site, attestation }) => [attestation, site]));
    this.#opening = { k, t, shares, modelOut, index };
    this.#certify();
  }

  abandon({ index, predicate }: Recorded<'round-abandoned'>): void {
    this.#abandoned ??= predicate;
    this.#troubles.push({ entry: index, what: 'abandoned', reason: predicate.reason, named: [] });
  }

  trouble(trouble: SumTrouble): void {
    this.#troubles.push(trouble);
  }

  get round(): number | undefined {
    return this.#frozen?.round ?? this.#abandoned?.round;
  }

  /** An opening that is of another set than the frozen one opens nothing. */
  get isOpened(): boolean {
    const [frozen, opened] = [this.#frozen, this.#opening];
    return frozen !== undefined && opened !== undefined && frozen.k === opened.k && frozen.t === opened.t;
  }

  get outcome(): SumOutcome {
    if (this.isOpened) return 'opened';
    return this.#troubles.at(-1)?.what ?? (this.#frozen === undefined ? 'collecting' : 'frozen');
  }

  /** Whether the operator has said something of it. */
  get isNamedByOperator(): boolean {
    return this.#frozen !== undefined || this.#troubles.length > 0;
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined;
  }

  /** Whether it is worth a line: an attestation or a share alone, of whatever number a site may write into it, is not. */
  get isKnown(): boolean {
    return this.isNamedByOperator || this.#attempts.size > 0;
  }

  /** The uploads that the frozen set names and that their sites have signed for exactly this K. */
  get counted(): CountedUpload[] {
    return (this.#frozen?.sites ?? []).flatMap((site) => this.#proven.get(site) ?? []);
  }

  /** The model that an opened sum starts from, and the one that it leaves. */
  get models(): readonly [string, string] | undefined {
    return this.isOpened ? [this.#frozen!.modelIn, this.#opening!.modelOut] : undefined;
  }

  /** @param members the sites of the sum's key epoch, where the ledger names it */
  standings(sites: readonly string[], members: readonly string[] | undefined): Map<string, Standing> {
    const frozen = this.#frozen;
    const named = new Set(frozen?.sites);
    const reasons = new Map(this.#excluded.map(({ site, reason }) => [site, reason]));
    const standing = (site: string): Standing => {
      if (named.has(site)) {
        if (!this.isOpened) return 'not-opened';
        return this.#proven.has(site) ? 'counted' : 'unproven';
      }
      const reason = reasons.get(site);
      if (reason === 'ready') return 'not-opened';
      if (reason !== undefined) return reason;
      if (members?.includes(site) === false) return 'left-out';
      // Nothing is decided about a sum that has no more than uploads.
      return this.#frozen === undefined && this.#abandoned === undefined ? 'not-opened' : 'unnamed';
    };
    return new Map(sites.map((site) => [site, standing(site)]));
  }

  /** Sites, one for each attempt for which they signed an upload. */
  get attempts(): string[] {
    return [...this.#attempts].map((attempt) => attempt.slice(attempt.indexOf(' ') + 1));
  }

  /** One for each decryption share of this sum. */
  get shares(): { holder: string; fate: 'used' | 'unused' | 'notOpened' }[] {
    const named = new Set(this.isOpened ? this.#opening!.shares.map(({ site, share }) => `${site} ${share}`) : []);
    return [...this.#shares].map(([digest, holder]) => ({
      holder,
      fate: !this.isOpened ? 'notOpened' : named.has(`${holder} ${digest}`) ? 'used' : 'unused',
    }));
  }

  /** Sites that have signed its counted set, and those whose signature the certificate names. */
  get attestations(): { signed: ReadonlySet<string>; named: ReadonlySet<string> } {
    return { signed: this.#attested, named: this.#certified };
  }

  record(continuedAs: number | undefined): SumRecord {
    const [frozen, opened] = [this.#frozen, this.isOpened ? this.#opening : undefined];
    return {
      sum: this.sum,
      kind: this.kind,
      round: this.round,
      epoch: frozen?.epoch,
      attempt: frozen?.attempt ?? this.#abandoned?.attempt ?? this.#lastAttempt,
      outcome: this.outcome,
      continuedAs,
      frozenIn: frozen?.index,
      openedIn: opened?.index,
      counted: this.counted,
      unproven: [...this.#awaited.keys()],
      excluded: this.#excluded,
      troubles: this.#troubles,
      modelOut: opened?.modelOut,
    };
  }

  get #excluded(): readonly ExcludedSite[] {
    return (this.#frozen ?? this.#abandoned)?.excluded ?? [];
  }

  get #lastAttempt(): number {
    let last = 0;
    for (const attempt of this.#attempts) last = Math.max(last, Number.parseInt(attempt, 10));
    return last;
  }

  #prove(): void {
    const frozen = this.#frozen;
    if (frozen === undefined) return;
    for (const { attempt, k, merkleRoot, counts } of this.#early)
      if (attempt === frozen.attempt && k === frozen.k && this.#awaited.get(counts.site) === merkleRoot) {
        this.#proven.set(counts.site, counts);
        this.#awaited.delete(counts.site);
      }
    this.#early = [];
  }

  #certify(): void {
    if (!this.isOpened) return;
    for (const [digest, site] of this.#unplaced)
      if (this.#named.get(digest) === site) {
        this.#certified.add(site);
        this.#named.delete(digest);
      }
    this.#unplaced.clear();
  }
}
