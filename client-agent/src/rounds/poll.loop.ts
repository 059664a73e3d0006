import { setTimeout as sleep } from 'node:timers/promises';
import { WIRE_VERSION } from '@coferment/consortium';
import { z } from 'zod';
import { AgentError, describeFailure } from '../agent.error.js';
import { BackoffSchedule } from '../connection/backoff.schedule.js';
import { askedToWaitMs, CoordinatorRefusal } from '../connection/coordinator.errors.js';
import { type Instruction, type MalformedInstruction, parseInstruction, parseRunViews } from '../connection/instruction.parser.js';
import type { ShownRoster } from '../journal/approvals.repository.js';
import { printable } from '../printable.text.js';
import { whySigningStops } from '../witness/split.evidence.js';
import { recallOwnActs, tellDeadEpochs } from './own.acts.js';
import { carryOut, laneOf, subjectOf } from './instruction.router.js';
import { forgetLater } from './later.waits.js';
import { tellingOf, tellRefusals } from './refusal.telling.js';
import type { Outcome, SiteContext, Waiting } from './site.context.js';
import { WorkBoard, type WorkCounts, type WorkItem } from './work.board.js';

export interface PollSettings {
  waitMs: number;
  /** Called when the coordinator refuses the certificate; renews it. */
  renew(): Promise<void>;
  /** Sequence number of the newest authorities act that this site has taken in. */
  authorities(): number;
  /** Called when the coordinator has a newer one. */
  newAuthorities(): void;
  /** Called once when the first poll fails. */
  explain(error: unknown): Promise<void>;
  /** Told how polls and work went, for whoever measures it. */
  watch?: WorkWatch;
}

export interface WorkWatch {
  polled(isAnswered: boolean): void;
  worked(instruction: Instruction['kind'], seconds: number, result: Outcome['outcome'] | 'failed'): void;
}

const MAX_INSTRUCTIONS = 4096;
/** An answer that is neither new nor held back must not turn the loop into a storm. */
const LEAST_ROUND_TRIP_MS = 50;

/** Work that has begun may end; a long training is given up, as it would be by a power cut. */
const STOP_WITHIN_MS = 3_000;

/** A roster stays on the screen at least so long: a coordinator that swaps one for another cannot have each of them written down. */
const SHOWN_AT_LEAST_MS = 60_000;

/** A site that stays connected reads on as the ledger is cosigned, but not with every poll. */
export const RECALL_AT_MOST_EVERY_MS = 3_000;

/** A waiting for people can name all sites of a run. */
const LONGEST_WAIT = 10_000;
const LONGEST_REFUSAL = 2000;

/** The coordinator's word for work that came too late: a list closed, a round ended, a run is over. */
const OVERTAKEN: ReadonlySet<string> = new Set(['not-owed', 'run-over']);

const answerSchema = z.object({
  instructions: z.array(z.unknown()).max(MAX_INSTRUCTIONS),
  runs: z.array(z.unknown()).max(MAX_INSTRUCTIONS),
  owed: z.string().max(200),
  authorities: z.number(),
});

/** Asks for work for as long as the agent serves, and hands it to the board. Network failures are waited out for ever. */
export class PollLoop {
  readonly #board = new WorkBoard();
  readonly #backoff = new BackoffSchedule();
  #current = new AbortController();
  readonly #shown = new Map<string, { roster: string; sinceMs: number }>();
  #known = '';
  #connected: boolean | undefined;
  #recalledMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly context: SiteContext,
    private readonly settings: PollSettings,
  ) {}

  get work(): WorkCounts {
    return this.#board.counts;
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#current.abort(), { once: true });
    while (!signal.aborted) {
      // Not the wall clock: one that is set back would put every retry off.
      const startedMs = performance.now();
      this.context.storage.look();
      try {
        await this.#pollOnce(startedMs);
        if (performance.now() - startedMs < LEAST_ROUND_TRIP_MS) await sleep(LEAST_ROUND_TRIP_MS);
      } catch (error) {
        if (signal.aborted) break;
        if (!this.#current.signal.aborted) await this.#recover(error, signal);
      }
      this.#current = new AbortController();
    }
    this.#board.stop();
    for (const endMs = performance.now() + STOP_WITHIN_MS; !this.#board.idle && performance.now() < endMs;) await sleep(20);
    this.#board.abandon();
  }

  async #pollOnce(startedMs: number): Promise<void> {
    const { journal, port } = this.context;
    // Nothing is done before this site knows what it has signed; what a restored folder has forgotten stands in the ledger.
    if (this.#connected !== true || this.#isBehind()) {
      await recallOwnActs(this.context);
      this.#recalledMs = performance.now();
    }
    if (whySigningStops(this.context) === undefined) {
      await tellDeadEpochs(this.context);
      await tellRefusals(this.context);
    }
    const positions = journal.runs
      .all()
      .filter((run) => run.state !== 'asked')
      .map(({ run }) => ({ run, appliedSum: journal.models.progress(run).appliedSum, epoch: journal.runs.newestAgreed(run) }));
    const authorities = this.settings.authorities();
    const request = { wireVersion: WIRE_VERSION, waitMs: this.settings.waitMs, positions, known: this.#known, authorities };
    const response = await port.poll(request, this.#current.signal);
    const checked = answerSchema.safeParse(response);
    if (!checked.success)
      throw new AgentError('malformed-response', `The answer to a poll is malformed: ${checked.error.issues[0]?.message ?? ''}.`);
    this.#setConnected(true, '');
    this.settings.watch?.polled(true);
    this.#backoff.reset();
    this.#known = response.owed;
    // They may have been taken in while this poll was held.
    if (checked.data.authorities > this.settings.authorities()) this.settings.newAuthorities();
    // Of runs that this site was never asked for nothing is kept: there is no end to their names.
    for (const view of parseRunViews(response.runs)) if (journal.runs.get(view.run) !== undefined) journal.activity.see(view.run, view);
    const instructions = response.instructions.map(parseInstruction);
    forgetLater(journal, instructions);
    this.#board.offer(
      instructions.map((instruction) => this.#toWork(instruction)),
      startedMs,
    );
  }

  /** Whom this site holds for a witness, and what its witness compares, is to be no older than what is cosigned. After a person's decision nothing counts as read. */
  #isBehind(): boolean {
    if (performance.now() - this.#recalledMs < RECALL_AT_MOST_EVERY_MS) return false;
    const { ownActs, cosigned } = this.context.journal;
    const { entries } = ownActs.position();
    return entries === 0 || (cosigned.latest()?.size ?? 0n) > entries;
  }

  #toWork(instruction: Instruction | MalformedInstruction): WorkItem {
    const { context } = this;
    const { id, run } = instruction;
    if (instruction.kind === 'malformed') {
      const error = new AgentError('malformed-instruction', `An instruction of the coordinator is refused: ${instruction.reason}.`);
      return {
        id,
        run,
        lane: 'protocol',
        work: () => Promise.reject(error),
        settled: () => this.#unlessFull(() => this.#refuse(run, 'malformed instruction', error)),
      };
    }
    const subject = subjectOf(instruction);
    let announced = false;
    const work = async () => {
      if (!announced) context.tell({ event: 'instruction', run, kind: instruction.kind, ...sumOf(instruction) });
      announced = true;
      return this.#timed(instruction);
    };
    const settled: WorkItem['settled'] = (result) => this.#unlessFull(() => this.#settle(instruction, subject, result));
    return { id, run, lane: laneOf(context, instruction), work, settled };
  }

  async #timed(instruction: Instruction): Promise<Outcome> {
    const startedMs = performance.now();
    let result: Outcome['outcome'] | 'failed' = 'failed';
    try {
      const outcome = await carryOut(this.context, instruction);
      result = outcome.outcome;
      return outcome;
    } finally {
      this.settings.watch?.worked(instruction.kind, (performance.now() - startedMs) / 1000, result);
    }
  }

  #settle(instruction: Instruction, subject: string, result: Outcome | { outcome: 'failed'; error: unknown }): void {
    const { context } = this;
    const { run } = instruction;
    switch (result.outcome) {
      case 'done':
        context.journal.activity.stopWaiting(run, subject);
        // The coordinator learns from the next poll that a sum was applied.
        if (instruction.kind === 'applySum') this.#current.abort();
        return;
      case 'later':
        return;
      case 'waiting':
        this.#wait(run, subject, result);
        return;
      case 'failed':
        this.#refuse(run, subject, result.error);
    }
  }

  /** What is asked and the roster that it is about come on the screen together: an approval that was entered before may not be one of this roster. */
  #wait(run: string, subject: string, { shows, ...asked }: Waiting): void {
    const { journal } = this.context;
    if (shows !== undefined && this.#isSwapped(shows)) return;
    const [reason, whatToDo] = [printable(asked.reason, LONGEST_WAIT), printable(asked.whatToDo, LONGEST_WAIT)];
    const isNew = journal.transaction(() => {
      if (shows !== undefined) journal.approvals.showRoster(shows);
      return journal.activity.wait(run, subject, reason, whatToDo);
    });
    if (isNew) this.context.tell({ event: 'waiting', run, reason, whatToDo });
  }

  #isSwapped({ run, epoch, roster }: ShownRoster): boolean {
    const key = `${run} ${epoch}`;
    const last = this.#shown.get(key);
    if (last !== undefined && last.roster !== roster && performance.now() - last.sinceMs < SHOWN_AT_LEAST_MS) return true;
    if (last?.roster !== roster) this.#shown.set(key, { roster, sinceMs: performance.now() });
    return false;
  }

  /** Failures of the network are retried silently, and work that the run has gone past is dropped; all else is a refusal that people see, once. */
  #refuse(run: string, subject: string, error: unknown): void {
    if (this.context.storage.met(error)) return;
    const failure = describeFailure(error);
    const { code } = failure;
    // Errors quote what the coordinator sent: plans, rosters, names.
    const message = printable(failure.message, LONGEST_REFUSAL);
    if (code === 'unreachable' || (error instanceof CoordinatorRefusal && OVERTAKEN.has(error.refusal))) return;
    const telling = run === '' ? undefined : tellingOf(this.context, error);
    if (!this.context.journal.activity.refuse(run, subject, code, message, telling)) return;
    this.context.tell({ event: 'refused', run, code, message });
    // The operator is told before the next poll: this one may be held for long.
    if (telling !== undefined) this.#current.abort();
  }

  /** What cannot be written down on a full disk is told again when the same work is done again. */
  #unlessFull(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!this.context.storage.met(error)) throw error;
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    // The line is as it was; the same poll is made again.
    if (!this.context.storage.met(error)) {
      try {
        await this.#noteLost(error);
      } catch (failure) {
        if (!this.context.storage.met(failure)) throw failure;
      }
    }
    await sleep(Math.max(this.#backoff.nextMs(), askedToWaitMs(error)), undefined, { signal }).catch(() => undefined);
  }

  async #noteLost(error: unknown): Promise<void> {
    const first = this.#connected === undefined;
    const { code, message } = describeFailure(error);
    this.settings.watch?.polled(false);
    this.#setConnected(false, printable(message));
    if (code !== 'unreachable') this.#refuse('', 'poll', error);
    if (first) await this.settings.explain(error);
    if (code === 'certificate-refused') await this.settings.renew().catch((failure: unknown) => this.#refuse('', 'renewal', failure));
  }

  #setConnected(connected: boolean, message: string): void {
    if (this.#connected === connected) return;
    this.context.journal.activity.connection(connected ? 'connected' : 'disconnected', message);
    this.#connected = connected;
    this.context.tell(connected ? { event: 'connected' } : { event: 'disconnected', message });
  }
}

function sumOf(instruction: Instruction): { round?: number; sum?: number; attempt?: number } {
  switch (instruction.kind) {
    case 'prepareSum':
    case 'encrypt': {
      const { round, sum, attempt } = instruction.body.name;
      return { round, sum, attempt };
    }
    case 'releaseShare':
    case 'applySum': {
      const { round, sum, attempt } = instruction.body.frozen.name;
      return { round, sum, attempt };
    }
    case 'approvePlan':
    case 'offerSealingKey':
    case 'approveRoster':
    case 'deal':
    case 'checkDealing':
    case 'agreeEpoch':
    case 'attest':
    case 'closeRun':
    case 'approveNewSet':
      return {};
  }
}
