import {
  type Predicate,
  type PredicateName,
  ROUND_TABLE,
  RUN_TABLE,
  type RoundEvent,
  type RunEvent,
  isLedgered,
  nextState,
  parseStatement,
  signStatement,
} from '@coferment/consortium';
import type { DsseEnvelope, Identity } from '@coferment/crypto';
import type { EntityManager } from 'typeorm';
import type { SignedEntry } from '../publication/ledger.log.js';
import type { RoundRow } from '../rounds/round.entity.js';
import { OPERATOR } from './act.entity.js';
import type { RunEventType } from './event.entity.js';
import type { RunRow } from './run.entity.js';
import type { RunRepository } from './run.repository.js';

export interface SignedAct {
  site: string;
  slot: string;
  envelope: DsseEnvelope;
  publicKey: Uint8Array;
  /** False for an act about something that the ledger does not know of. */
  ledgered?: boolean;
}

/** Everything that one transaction may do to a run: states by their tables only, acts with their ledger entries, events. */
export class RunChange {
  readonly #entries: SignedEntry[] = [];

  constructor(
    readonly manager: EntityManager,
    /** The run as it is in this transaction. */
    readonly run: RunRow,
    readonly nowMs: number,
    private readonly repository: RunRepository,
    private readonly operator: Identity,
  ) {}

  /** Moves the run by its transition table. @throws ConsortiumError 'illegal-transition' */
  async move(event: RunEvent, text: string): Promise<void> {
    this.run.state = nextState(RUN_TABLE, this.run.state, event);
    await this.note('run-state', { state: this.run.state, text });
  }

  /** Moves a round by its transition table, through one or more events. @throws ConsortiumError 'illegal-transition' */
  async moveRound(round: RoundRow, ...events: RoundEvent[]): Promise<void> {
    for (const event of events) {
      round.state = nextState(ROUND_TABLE, round.state, event);
      await this.note('round-state', { state: round.state, sum: round.sum });
    }
    await this.repository.saveRound(this.manager, round);
  }

  async openRound(round: RoundRow): Promise<void> {
    await this.repository.saveRound(this.manager, round);
    await this.note('round-state', { state: round.state, sum: round.sum });
  }

  /** What of this change belongs in the ledger, in the order in which it was recorded. */
  get ledgerEntries(): readonly SignedEntry[] {
    return this.#entries;
  }

  /** Stores a signed act and, unless it means nothing after its attempt, what is to be its ledger entry. */
  async record(act: SignedAct): Promise<string> {
    const { site, slot, envelope } = act;
    const { name, digest } = parseStatement(Buffer.from(envelope.payload, 'base64'));
    await this.repository.addAct(this.manager, { digest, run: this.run.run, name, site, slot, envelope, receivedMs: this.nowMs });
    if (isLedgered(name) && act.ledgered !== false) this.#entries.push({ envelope, publicKey: act.publicKey });
    return digest;
  }

  /** An act of the coordinator, signed with the operator's key. */
  sign<N extends PredicateName>(name: N, slot: string, predicate: Predicate<N>, { ledgered = true } = {}): Promise<string> {
    const envelope = signStatement(name, predicate, this.operator);
    return this.record({ site: OPERATOR, slot, envelope, publicKey: this.operator.publicKey, ledgered });
  }

  async note(type: RunEventType, event: { state?: string; site?: string; text?: string; sum?: number }): Promise<void> {
    const { state = '', site = '', text = '', sum = null } = event;
    await this.repository.addEvent(this.manager, { timeMs: this.nowMs, run: this.run.run, type, state, site, text, sum });
  }
}
