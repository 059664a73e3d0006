import type { SumKind } from '@coferment/consortium';
import type { CountedUpload, OpenedRange, SiteAccount, Standing } from './account.types.js';
import { standings } from './account.types.js';

/** Counts what one site did in one run. */
export class SiteTally {
  readonly #rounds = Object.fromEntries(standings.map((standing) => [standing, 0])) as Record<Standing, number>;
  readonly #notCounted: { round: number; sum: number; standing: Standing }[] = [];
  readonly #otherSums = { confirm: 0, statistics: 0, evaluate: 0 };
  readonly #shares = { used: 0, unused: 0, notOpened: 0 };
  readonly #attestations = { signed: 0, named: 0 };
  readonly #dealings = { dealt: 0, acknowledged: 0, refused: 0 };
  readonly #uploads: CountedUpload[] = [];
  #attempts = 0;

  constructor(private readonly site: string) {}

  keyCeremony(did: 'dealt' | 'acknowledged' | 'refused'): void {
    this.#dealings[did]++;
  }

  share(fate: keyof SiteAccount['shares']): void {
    this.#shares[fate]++;
  }

  attestation(isNamed: boolean): void {
    this.#attestations.signed++;
    if (isNamed) this.#attestations.named++;
  }

  attempt(): void {
    this.#attempts++;
  }

  /** Counted in an opened sum. */
  upload(kind: SumKind, upload: CountedUpload): void {
    if (kind === 'update') this.#uploads.push(upload);
    else this.#otherSums[kind]++;
  }

  round(round: number, sum: number, standing: Standing): void {
    this.#rounds[standing]++;
    if (standing !== 'counted') this.#notCounted.push({ round, sum, standing });
  }

  account(): SiteAccount {
    const opened = this.#uploads.map((upload) => upload.opened);
    const reports = opened.flatMap(({ dataReport }) => dataReport ?? []);
    const backends: Partial<Record<CountedUpload['backend'], number>> = {};
    for (const { backend } of this.#uploads) backends[backend] = (backends[backend] ?? 0) + 1;
    return {
      site: this.site,
      rounds: this.#rounds,
      notCounted: this.#notCounted,
      attempts: { takenPart: this.#attempts, counted: this.#uploads.length, notCounted: this.#attempts - this.#uploads.length },
      otherSums: this.#otherSums,
      data: {
        committed: this.#uploads.length,
        samples: rangeOf(opened.flatMap(({ samples }) => samples ?? [])),
        batches: rangeOf(opened.flatMap(({ batches }) => batches ?? [])),
        dataReports: {
          opened: reports.length,
          changes: reports.filter((report, index) => index > 0 && report !== reports[index - 1]).length,
        },
      },
      backends,
      shares: this.#shares,
      attestations: this.#attestations,
      dealings: this.#dealings,
    };
  }
}

function rangeOf(values: readonly number[]): OpenedRange {
  if (values.length === 0) return { opened: 0, smallest: undefined, largest: undefined };
  return { opened: values.length, smallest: values.reduce((a, b) => Math.min(a, b)), largest: values.reduce((a, b) => Math.max(a, b)) };
}
