import type { Predicate, SumKind } from '@coferment/consortium';
import type { Recorded } from '../verify/index.js';
import type { CountedUpload, OpenedFacts, Standing, SumOutcome, SumRecord, SumTrouble } from './account.types.js';

type Upload = Pick<Predicate<'contribution'>, 'attempt' | 'k' | 'merkleRoot'> & { readonly counts: CountedUpload };
/** Without the nonces, which are the larger part of it and say nothing of contributions. */
type Freeze = Pick<Predicate<'round-frozen'>, 'epoch' | 'round' | 'attempt' | 'modelIn' | 'k' | 't' | 'counted' | 'excluded'> & {
  readonly index: number;
};
type Aggregate = Pick<Predicate<'aggregate'>, 'k' | 't' | 'certificate' | 'shares' | 'modelOut'> & { readonly index: number };

/** What the ledger says of one sum, gathered in whatever order it says it. Once the sum is frozen and opened, only what counts is kept. */
export class SumBook {
  readonly #troubles: SumTrouble[] = [];
  readonly #attempts = new Set<string>();
  /** Whose signature it is, by digest. */
  readonly #shares = new Map<string, string>();
  readonly #attestations = new Map<string, string>();
  readonly #attested = new Set<string>();
  readonly #certified = new Set<string>();
  #uploads: Upload[] = [];
  #frozen: Freeze | undefined;
  #aggregate: Aggregate | undefined;
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
    this.#uploads.push({ attempt, k, merkleRoot, counts: { site, contribution: digest, backend, opened } });
    this.#settle();
  }

  share({ digest, predicate }: Recorded<'share'>): void {
    this.#shares.set(digest, predicate.site);
  }

  attestation(digest: string, site: string): void {
    this.#attested.add(site);
    this.#attestations.set(digest, site);
    this.#settle();
  }

  freeze({ index, predicate: { epoch, round, attempt, modelIn, k, t, counted, excluded } }: Recorded<'round-frozen'>): void {
    this.#frozen ??= { index, epoch, round, attempt, modelIn, k, t, counted, excluded };
    this.#settle();
  }

  open({ index, predicate: { k, t, certificate, shares, modelOut } }: Recorded<'aggregate'>): void {
    this.#aggregate ??= { k, t, certificate, shares, modelOut, index };
    this.#settle();
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
    const [frozen, opened] = [this.#frozen, this.#aggregate];
    return frozen !== undefined && opened !== undefined && frozen.k === opened.k && frozen.t === opened.t;
  }

  get outcome(): SumOutcome {
    if (this.isOpened) return 'opened';
    return this.#troubles.at(-1)?.what ?? (this.#frozen === undefined ? 'collecting' : 'frozen');
  }

  /** Whether it is worth a line: an attestation or a share alone, of whatever number a site may write into it, is not. */
  get isKnown(): boolean {
    return this.#frozen !== undefined || this.#troubles.length > 0 || this.#uploads.length > 0;
  }

  /** The uploads that the frozen set names and that their sites have signed for exactly this K. */
  get counted(): CountedUpload[] {
    if (this.#frozen === undefined) return [];
    return this.#frozen.counted.flatMap(({ site }) => this.#uploads.find(({ counts }) => counts.site === site)?.counts ?? []);
  }

  /** The model that an opened sum starts from, and the one that it leaves. */
  get models(): readonly [string, string] | undefined {
    return this.isOpened ? [this.#frozen!.modelIn, this.#aggregate!.modelOut] : undefined;
  }

  /** @param members the sites of the sum's key epoch, where the ledger names it */
  standing(site: string, members: readonly string[] | undefined): Standing {
    const frozen = this.#frozen;
    if (frozen?.counted.some((entry) => entry.site === site) === true) {
      if (!this.isOpened) return 'not-opened';
      return this.#uploads.some(({ counts }) => counts.site === site) ? 'counted' : 'unproven';
    }
    const excluded = (frozen ?? this.#abandoned)?.excluded.find((entry) => entry.site === site);
    if (excluded !== undefined) return excluded.reason;
    if (members?.includes(site) === false) return 'left-out';
    // An abandoned sum names those that were missing; all others were ready.
    return frozen === undefined ? 'not-opened' : 'unnamed';
  }

  /** Sites, one for each attempt for which they signed an upload. */
  get attempts(): string[] {
    return [...this.#attempts].map((attempt) => attempt.slice(attempt.indexOf(' ') + 1));
  }

  /** One for each decryption share of this sum. */
  get shares(): { holder: string; fate: 'used' | 'unused' | 'notOpened' }[] {
    const named = new Set(this.isOpened ? this.#aggregate!.shares.map(({ site, share }) => `${site} ${share}`) : []);
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
    const [frozen, opened] = [this.#frozen, this.isOpened ? this.#aggregate : undefined];
    const { counted } = this;
    const proven = new Set(counted.map(({ site }) => site));
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
      counted,
      unproven: (frozen?.counted ?? []).flatMap(({ site }) => (proven.has(site) ? [] : [site])),
      excluded: (frozen ?? this.#abandoned)?.excluded ?? [],
      troubles: this.#troubles,
      modelOut: opened?.modelOut,
    };
  }

  get #lastAttempt(): number {
    return Math.max(0, ...[...this.#attempts].map((attempt) => Number.parseInt(attempt, 10)));
  }

  #settle(): void {
    const frozen = this.#frozen;
    if (frozen === undefined) return;
    const roots = new Map(frozen.counted.map(({ site, merkleRoot }) => [site, merkleRoot]));
    this.#uploads = this.#uploads.filter(
      ({ attempt, k, merkleRoot, counts }) => attempt === frozen.attempt && k === frozen.k && merkleRoot === roots.get(counts.site),
    );
    if (!this.isOpened) return;
    for (const { site, attestation } of this.#aggregate!.certificate)
      if (this.#attestations.get(attestation) === site) this.#certified.add(site);
    this.#attestations.clear();
  }
}
