import { setTimeout as sleep } from 'node:timers/promises';
import { describeFailure } from '../agent.error.js';
import { BackoffSchedule } from '../connection/backoff.schedule.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import { printable } from '../printable.text.js';
import { takeCheckpoint } from './cosigning.act.js';
import { EntriesComparison } from './entries.comparison.js';
import type { WitnessContext } from './witness.context.js';
import { announceWitnessKey } from './witness.key.js';

export interface WitnessPace {
  /** How long the coordinator may hold a call. */
  waitMs: number;
  /** Least time between two checkpoints: a log that signs one for every entry must not keep all sites busy. */
  leastMs: number;
}

export const WITNESS_PACE: WitnessPace = { waitMs: 20_000, leastMs: 1000 };
const LONGEST_REFUSAL = 2000;

/**
 * Cosigns what the log signs, for as long as the agent serves and beside its work: a site that trains for an hour must not keep receipts waiting. It stores one
 * row, whatever the number of checkpoints. Of a line that is down the poll loop tells.
 */
export class WitnessLoop {
  readonly #backoff = new BackoffSchedule();
  readonly #entries: EntriesComparison;
  #isAnnounced = false;
  #isDoubtful = false;

  constructor(
    private readonly context: WitnessContext,
    private readonly pace: WitnessPace = WITNESS_PACE,
  ) {
    this.#entries = new EntriesComparison(context);
  }

  async run(signal: AbortSignal): Promise<void> {
    const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        await this.#turn(signal);
        this.#backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        this.#tell(error);
        await pause(this.#backoff.nextMs());
      }
      await pause(Math.max(0, this.pace.leastMs - (performance.now() - startedMs)));
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { journal, port } = this.context;
    // A person may decide in another process at any time.
    if (journal.evidence.undecided().length > 0) return;
    if (!this.#isAnnounced) await announceWitnessKey(this.context);
    this.#isAnnounced = true;
    // What was stored may never have left: a power cut comes between the two.
    await this.#send();
    await this.#entries.compare();
    const last = Number(journal.cosigned.latest()?.size ?? 0);
    const offer = await port.awaitCheckpoint(last, this.pace.waitMs, signal);
    if (offer === undefined || signal.aborted) return;
    const taken = takeCheckpoint(this.context, offer, this.#isDoubtful);
    this.#isDoubtful = taken === 'doubtful';
    if (taken === 'cosigned') await this.#send();
  }

  async #send(): Promise<void> {
    const { journal, port } = this.context;
    const cosigned = journal.cosigned.latest();
    if (cosigned === undefined || cosigned.isSent) return;
    try {
      await port.addCosignature(cosigned.note);
    } catch (error) {
      // A refusal is an answer: the log has gone on, or does not count this witness. The next cosignature vouches for this checkpoint too.
      if (!(error instanceof CoordinatorRefusal) || error.code === 'unreachable') throw error;
      journal.cosigned.noteSent(cosigned.note);
      throw error;
    }
    journal.cosigned.noteSent(cosigned.note);
  }

  /** People see each refusal once; of the network and of certificates the poll loop takes care. */
  #tell(error: unknown): void {
    const { code, message } = describeFailure(error);
    if (code === 'unreachable' || code === 'certificate-refused') return;
    const text = printable(message, LONGEST_REFUSAL);
    if (this.context.journal.activity.refuse('', 'checkpoint', code, text))
      this.context.tell({ event: 'refused', run: '', code, message: text });
  }
}
