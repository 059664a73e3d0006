import { type Plan, type Roster, vectorShape } from '@coferment/consortium';
import { blockCount, coefficientCount } from '@coferment/crypto';
import { objectPath, readFolder, stateOf } from '../export/index.js';
import { type OpeningHands, openRange } from '../opening/index.js';
import { type Recorded, type VerifyOptions, verifyExport } from '../verify/index.js';
import { ModelChain } from './model.chain.js';
import { type Findings, outcomeOf, type RecomputationReport, recomputationReport, type SumRecomputation } from './recomputation.report.js';
import { ObjectProblem, readPlan, readRoster } from './run.objects.js';
import { LedgerRecord, type PublishedSum, publishedSum, type RunRecord } from './run.record.js';
import { chooseSums, type SumChoice } from './sum.choice.js';
import { reopenSum, sumObject } from './sum.reopening.js';

export interface RecomputeOptions extends Pick<VerifyOptions, 'policy' | 'operatorKey'> {
  readonly choice: SumChoice;
  /** Told what is being done: a large round takes minutes. */
  readonly progress?: (text: string) => void;
}

/**
 * Recomputes published sums and the models that follow from them, bit for bit, from an exported ledger with objects. The ledger is verified first: nothing
 * unverified is taken as input.
 * @throws Error for a choice that fits no published sum
 */
export async function recomputeExport(
  folder: string,
  { choice, progress = () => {}, ...keys }: RecomputeOptions,
): Promise<RecomputationReport> {
  const record = new LedgerRecord();
  const read = readFolder(folder);
  progress('verifying the ledger');
  const ledger = await verifyExport(
    // Objects are checked here, those that it takes and a piece at a time: a ciphertext may be larger than memory.
    (path) => (path.startsWith(objectPath('')) ? undefined : read(path)),
    { ...keys, onStatement: (recorded) => record.add(recorded) },
  );
  if (ledger.verdict === 'does-not-hold' || ledger.verdict === 'could-not-check') return recomputationReport(ledger, []);
  return recomputationReport(ledger, await recomputeSums(folder, record, choice, progress));
}

/** Every chosen sum, and before it the sums that its model comes from. */
export async function recomputeSums(
  folder: string,
  ledger: LedgerRecord,
  choice: SumChoice,
  progress: (text: string) => void = () => {},
): Promise<SumRecomputation[]> {
  const reports: SumRecomputation[] = [];
  for (const { record, chosen } of chooseSums(ledger, choice)) {
    const run = new RunRecomputation(folder, record, progress);
    const last = Math.max(...chosen);
    const sums = record.aggregates.filter(({ predicate }) => predicate.sum <= last).toSorted((a, b) => a.predicate.sum - b.predicate.sum);
    for (const aggregate of sums) {
      const report = await run.next(aggregate, chosen.has(aggregate.predicate.sum));
      if (report !== undefined) reports.push(report);
    }
  }
  return reports;
}

/** One run, sum by sum in the order of their numbers. */
class RunRecomputation {
  #chain: ModelChain | undefined;
  readonly #names = new Map<string, string>();
  readonly #rosters = new Map<number, Roster>();
  #plan: Plan | undefined;

  constructor(
    private readonly folder: string,
    private readonly record: RunRecord,
    private readonly progress: (text: string) => void,
  ) {
    for (const list of record.contributions.values()) {
      for (const { predicate } of list) this.#names.set(predicate.object, `the upload of "${predicate.site}" to sum ${predicate.sum}`);
    }
    for (const { predicate } of record.shares.values())
      this.#names.set(predicate.object, `the decryption share of "${predicate.site}" for sum ${predicate.sum}`);
    for (const { predicate } of record.aggregates) this.#names.set(predicate.sumObject, `the published sum ${predicate.sum}`);
  }

  /** @param isChosen else it matters only for the models after it, and is told of only when it is in the way */
  async next(aggregate: Recorded<'aggregate'>, isChosen: boolean): Promise<SumRecomputation | undefined> {
    const { kind } = aggregate.predicate;
    if (!isChosen && kind !== 'statistics' && kind !== 'update') return undefined;
    const sum = publishedSum(this.record, aggregate);
    const found: Findings = { problems: [], missing: [], unchecked: undefined };
    const { problems, missing } = found;
    let facts = { blocks: 0, coefficients: 0, modelOut: 'none', metrics: undefined as SumRecomputation['metrics'], opened: false };
    try {
      this.#plan ??= await readPlan(this.folder, this.record);
      this.#chain ??= new ModelChain(this.folder, this.record, this.#plan);
      const roster = await this.#roster(sum);
      const shape = vectorShape(this.#plan, kind);
      const { parameters } = roster;
      facts = { ...facts, blocks: blockCount(shape, parameters), coefficients: coefficientCount(shape, parameters) };
      const sumIsRight = isChosen ? await this.#reopen(sum, roster, facts, found) : await this.#lookAt(sum, facts.coefficients, found);
      facts.opened = isChosen && problems.length === 0 && missing.length === 0;
      if (sumIsRight) {
        const link = await this.#chain.step(sum, roster);
        problems.push(...link.problems);
        found.unchecked = link.unchecked;
        facts = { ...facts, modelOut: link.model, metrics: link.metrics };
      } else if (kind === 'statistics' || kind === 'update') this.#chain.break(`the published sum ${aggregate.predicate.sum} is not there`);
    } catch (error) {
      if (!(error instanceof ObjectProblem)) throw error;
      const { object, isMissing } = error;
      if (isMissing) missing.push(error.missing);
      else problems.push({ where: `${objectPath(object.digest)}, named in ${object.entry}`, problem: `${object.what}: ${error.message}` });
    }
    if (!isChosen && outcomeOf(found) === 'holds') return undefined;
    return this.#report(sum, facts, found);
  }

  async #reopen(
    sum: PublishedSum,
    roster: Roster,
    { blocks, coefficients }: { blocks: number; coefficients: number },
    found: Findings,
  ): Promise<boolean> {
    const { aggregate, uploads, shares } = sum;
    const what = `sum ${aggregate.predicate.sum} (${aggregate.predicate.kind})`;
    this.progress(`${what}: ${uploads.length} uploads and ${shares.length} decryption shares of ${blocks} blocks`);
    let done = 0;
    const hands: OpeningHands = {
      threads: 1,
      open: inTurn(async (task) => {
        const opened = await openRange(task);
        done += task.range.to - task.range.from;
        if (done < blocks) this.progress(`${what}: ${done} of ${blocks} blocks`);
        return opened;
      }),
    };
    const nameOf = (digest: string) => this.#names.get(digest);
    const reopened = await reopenSum({ folder: this.folder, sum, roster, coefficients, blocks, hands, nameOf });
    found.problems.push(...reopened.problems);
    found.missing.push(...reopened.missing);
    return reopened.sumIsRight;
  }

  /** A sum that is only on the way to another one's model. */
  async #lookAt(sum: PublishedSum, coefficients: number, found: Findings): Promise<boolean> {
    const object = sumObject(sum, coefficients);
    const { digest, what, entry } = object;
    const { state } = await stateOf(this.folder, object);
    if (state === 'missing') found.missing.push({ path: objectPath(digest), what, entry });
    if (state === 'changed')
      found.problems.push({ where: `${objectPath(digest)}, named in ${entry}`, problem: `${what} is not what was signed` });
    return state === 'right';
  }

  async #roster({ epoch }: PublishedSum): Promise<Roster> {
    const known = this.#rosters.get(epoch.predicate.epoch);
    if (known !== undefined) return known;
    const roster = await readRoster(this.folder, epoch);
    this.#rosters.set(epoch.predicate.epoch, roster);
    return roster;
  }

  #report(
    { aggregate, epoch, frozen, shares }: PublishedSum,
    facts: Pick<SumRecomputation, 'blocks' | 'coefficients' | 'opened' | 'modelOut' | 'metrics'>,
    found: Findings,
  ): SumRecomputation {
    const { run, sum, kind, round, modelIn } = aggregate.predicate;
    return {
      run,
      sum,
      kind,
      round,
      entry: aggregate.index,
      outcome: outcomeOf(found),
      counted: frozen.predicate.counted.map(({ site }) => site),
      holders: shares.map(({ predicate }) => predicate.site),
      threshold: epoch.predicate.numbers.tau,
      modelIn,
      ...facts,
      ...found,
    };
  }
}

/** One task after the other: every one of them has files and blocks in memory. */
function inTurn<Task, Result>(work: (task: Task) => Promise<Result>): (task: Task) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const next = last.then(
      () => work(task),
      () => work(task),
    );
    last = next;
    return next;
  };
}
