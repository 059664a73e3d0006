import type { VerifierKey } from '../note/index.js';
import type { CheckedBundle } from './bundle.check.js';
import { CertificateCheck } from './certificate.check.js';
import type { ContentCheck } from './content.check.js';
import { ContextCheck } from './context.check.js';
import { ContributionCheck } from './contribution.check.js';
import { CountedSetCheck } from './counted-set.check.js';
import { EpochCheck } from './epoch.check.js';
import { Evidence, type Recorded } from './evidence.js';
import { ModelCheck } from './model.check.js';
import { OneSetCheck } from './one-set.check.js';
import { ProblemList } from './problem.list.js';
import { RunCheck } from './run.check.js';
import { ShareCheck } from './share.check.js';
import { SignatureCheck } from './signature.check.js';
import { TotalCheck } from './total.check.js';
import type { CheckId, Finding, RunTotals } from './verification.report.js';
import { CharterWitnessCheck } from './witness.check.js';

/** Reads the statements of a log in their order: first whose they are, then what they say. */
export class ContentReader {
  readonly #signatures: SignatureCheck;
  readonly #witnesses: CharterWitnessCheck;
  readonly #evidence = new Evidence();
  readonly #totals = new TotalCheck();
  /** What the statements say, once they are known to be signed. */
  readonly #checks: readonly [CheckId, ContentCheck][] = [
    ['runs', new RunCheck()],
    ['key-epochs', new EpochCheck()],
    ['counted-sets', new CountedSetCheck()],
    ['contexts', new ContextCheck()],
    ['contributions', new ContributionCheck()],
    ['one-set', new OneSetCheck()],
    ['certificates', new CertificateCheck()],
    ['shares', new ShareCheck()],
    ['models', new ModelCheck()],
    ['totals', this.#totals],
  ];
  readonly #entryProblems = new ProblemList();
  readonly #payloadProblems = new ProblemList();
  readonly #objectProblems = new ProblemList();
  readonly #objects = { named: 0, present: 0 };
  #entries = 0;
  #parsed = 0;

  constructor(
    origin: string,
    private readonly options: { readonly operatorKey?: string; readonly onStatement?: (statement: Recorded) => void },
  ) {
    this.#signatures = new SignatureCheck({ origin, operatorKey: options.operatorKey });
    this.#witnesses = new CharterWitnessCheck(origin);
  }

  get consortium(): string | undefined {
    return this.#signatures.consortium;
  }

  get operatorKey(): string | undefined {
    return this.#signatures.operatorKey;
  }

  take({ entries, entryProblems, payloadProblems, statements, objects }: CheckedBundle): void {
    this.#entries += entries;
    this.#parsed += entries - entryProblems.length;
    for (const { where, problem } of entryProblems) this.#entryProblems.add(where, problem);
    for (const { where, problem } of payloadProblems) this.#payloadProblems.add(where, problem);
    for (const { where, problem } of objects.problems) this.#objectProblems.add(where, problem);
    this.#objects.named += objects.named;
    this.#objects.present += objects.present;
    for (const statement of statements) {
      const recorded = this.#signatures.follow(statement);
      if (recorded) this.#follow(recorded);
    }
  }

  findings(): [CheckId, Finding][] {
    const { named, present } = this.#objects;
    return [
      ['entries', { detail: `${this.#entries} entries`, problems: this.#entryProblems.problems }],
      ['payloads', { detail: `${this.#parsed} statements`, problems: this.#payloadProblems.problems }],
      [
        'objects',
        {
          detail: `${present} of the ${named} objects that statements name are in the export`,
          problems: this.#objectProblems.problems,
          unchecked: present === 0,
          optional: true,
        },
      ],
      ['signatures', this.#signatures.finish()],
      ...this.#checks.map(([id, check]): [CheckId, Finding] => [id, check.finish()]),
    ];
  }

  charterWitnesses(checkpoint: Uint8Array, logs: readonly VerifierKey[]): Finding {
    return this.#witnesses.finish(checkpoint, logs);
  }

  totals(): RunTotals[] {
    return this.#totals.totals();
  }

  #follow(recorded: Recorded): void {
    this.options.onStatement?.(recorded);
    this.#witnesses.follow(recorded);
    for (const [, check] of this.#checks) check.follow(recorded, this.#evidence);
    this.#evidence.take(recorded);
  }
}
