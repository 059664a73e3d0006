import { setTimeout as sleep } from 'node:timers/promises';
import { parseCheckpoint, parseNote, witnessName } from '@coferment/ledger';
import { describeFailure } from '../agent.error.js';
import { BackoffSchedule } from '../connection/backoff.schedule.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import type { OfferedCheckpoint } from '../connection/coordinator.port.js';
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
/** The coordinator's word for what comes too late: another checkpoint is offered by now. */
const OVERTAKEN = 'not-owed';
/** Refusals that are the answer to a cosignature. After any other one, of a clock or a certificate, the same cosignature may be taken later. */
const ANSWERS: ReadonlySet<string> = new Set([OVERTAKEN, 'forbidden', 'malformed', 'bad-signature']);

/**
 * Cosigns what the log signs, for as long as the agent serves and beside its work: a site that trains for an hour must not keep receipts waiting. It stores one
 * row, whatever the number of checkpoints. Of a line that is down the poll loop tells.
 */
export class WitnessLoop {
  readonly #entries: EntriesComparison;
  /** The last entry that had been read when the ledger was last seen to it that it has the witness key. */
  #announcedAt: string | undefined;
  #isDoubtful = false;

  constructor(
    private readonly context: WitnessContext,
    private readonly pace: WitnessPace = WITNESS_PACE,
    private readonly backoff = new BackoffSchedule(),
  ) {
    this.#entries = new EntriesComparison(context);
  }

  async run(signal: AbortSignal): Promise<void> {
    const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => undefined);
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        await this.#turn(signal);
        this.backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        this.#tellUnlessFull(error);
        await pause(this.backoff.nextMs());
      }
      await pause(Math.max(0, this.pace.leastMs - (performance.now() - startedMs)));
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { journal } = this.context;
    // A person may decide in another process at any time.
    if (journal.evidence.undecided().length > 0) return;
    await this.#announce();
    this.#cosignDecided();
    // What was stored may never have left: a power cut comes between the two.
    await this.#send();
    await this.#takeNext(signal);
    // Last: a coordinator that refuses this proof must not keep the site from finding out why.
    if (!signal.aborted) await this.#entries.compare();
  }

  /** Once for each time that the ledger was read on, or anew. A refused key is no reason to look away from the log. */
  async #announce(): Promise<void> {
    const { lastEntry } = this.context.journal.ownActs.position();
    if (lastEntry === this.#announcedAt) return;
    try {
      await announceWitnessKey(this.context);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#tell(error);
    }
    this.#announcedAt = lastEntry;
  }

  /** What a person has let this site go on from: it counts as seen and so is never offered, and without a further entry nobody would vouch for it. */
  #cosignDecided(): void {
    const { journal, site, log } = this.context;
    const last = journal.cosigned.latest();
    const own = witnessName(log.name, site);
    if (last === undefined || parseNote(last.note).signatures.some(({ name }) => name === own)) return;
    try {
      takeCheckpoint(this.context, { note: last.note, proof: [] }, false);
    } catch (error) {
      this.#tell(error);
    }
  }

  async #takeNext(signal: AbortSignal): Promise<void> {
    const { journal } = this.context;
    const offer = await this.#ask(Number(journal.cosigned.latest()?.size ?? 0), signal);
    if (offer === undefined || signal.aborted) return;
    const taken = takeCheckpoint(this.context, offer, this.#isDoubtful);
    this.#isDoubtful = taken === 'doubtful';
    if (taken === 'cosigned') await this.#send();
  }

  /** A coordinator whose log has become shorter has nothing to offer and refuses; what it has signed since says so too, and is what can be kept. */
  async #ask(last: number, signal: AbortSignal): Promise<OfferedCheckpoint | undefined> {
    const { port } = this.context;
    try {
      return await port.awaitCheckpoint(last, this.pace.waitMs, signal);
    } catch (error) {
      if (!(error instanceof CoordinatorRefusal) || last === 0) throw error;
      const note = await port.newestCheckpoint();
      if (sizeOf(note) >= BigInt(last)) throw error;
      return { note, proof: [] };
    }
  }

  async #send(): Promise<void> {
    const { journal, port } = this.context;
    const cosigned = journal.cosigned.latest();
    if (cosigned === undefined || cosigned.isSent) return;
    try {
      await port.addCosignature(cosigned.note);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (error.refusal !== OVERTAKEN) this.#tell(error);
      // The log is watched on all the same, and the next cosignature vouches for this checkpoint too.
      if (!ANSWERS.has(error.refusal)) return;
    }
    journal.cosigned.noteSent(cosigned.note);
  }

  /** A full disk is told by whoever meets it first; the witness waits with the rest of the site. */
  #tellUnlessFull(error: unknown): void {
    const { storage } = this.context;
    if (storage.met(error)) return;
    try {
      this.#tell(error);
    } catch (failure) {
      if (!storage.met(failure)) throw failure;
    }
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

function isRefusal(error: unknown): error is CoordinatorRefusal {
  return error instanceof CoordinatorRefusal && error.code !== 'unreachable';
}

/** What the note says, whoever wrote it: it is verified when it is taken. What is no checkpoint is not a shorter one. */
function sizeOf(note: string): bigint {
  try {
    return parseCheckpoint(parseNote(note).text).size;
  } catch {
    return BigInt(Number.MAX_SAFE_INTEGER);
  }
}
