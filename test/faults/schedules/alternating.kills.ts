import { setTimeout as sleep } from 'node:timers/promises';
import type { WatchRunResponse } from '@coferment/proto';
import { REPLICAS, type Replica } from './replicated.stage.js';

/** Where in a round a replica is killed: each phase that a watch shows, in turns. An odd number, so that each phase meets both replicas. */
export const KILL_PHASES = ['training', 'ready', 'uploading', 'frozen', 'attesting', 'decrypting', 'closed'] as const;

/** How long a killed replica stays away; longer than its leases last, every other time. */
const DOWN_MS = [500, 6_000] as const;

export interface KilledReplicas {
  start(replica: Replica): Promise<void>;
  kill(replica: Replica): Promise<void>;
}

/** In every training round one replica is killed, each in turn, at a phase that moves on from round to round, and is started again. */
export class AlternatingKills {
  readonly kills: { round: number; phase: string; replica: Replica }[] = [];
  /** Milliseconds from each new start to the next step of the run. */
  readonly recoveriesMs: number[] = [];
  readonly #startedMs = new Set<number>();
  #work: Promise<void> = Promise.resolve();

  constructor(
    private readonly stage: KilledReplicas,
    private readonly downMs: readonly [number, number] = DOWN_MS,
  ) {}

  runMoved({ type, state, round }: WatchRunResponse): void {
    for (const startedMs of this.#startedMs) this.recoveriesMs.push(Date.now() - startedMs);
    this.#startedMs.clear();
    if (type !== 'round-state' || round?.kind !== 'update') return;
    const phase = KILL_PHASES[(round.round - 1) % KILL_PHASES.length]!;
    if (state !== phase || this.kills.some((kill) => kill.round === round.round)) return;
    const replica = REPLICAS[round.round % REPLICAS.length]!;
    this.kills.push({ round: round.round, phase, replica });
    // One after the other: with both away there would be nobody to take over.
    this.#work = this.#work.then(() => this.#strike(replica, this.downMs[Math.floor(round.round / REPLICAS.length) % 2]!));
    this.#work.catch(() => undefined);
  }

  /** Resolves when the last one that was killed is back. @throws what its start failed with */
  settled(): Promise<void> {
    return this.#work;
  }

  async #strike(replica: Replica, downMs: number): Promise<void> {
    await this.stage.kill(replica);
    await sleep(downMs);
    this.#startedMs.add(Date.now());
    await this.stage.start(replica);
  }
}
