import { encodeVkey } from '@coferment/ledger';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { EnvHttpProxyAgent } from 'undici';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { LedgerLog } from '../publication/ledger.log.js';
import { retryMs } from '../publication/retry.pause.js';
import { WorkLeases } from '../replicas/work.leases.js';
import { printable } from '../runs/printable.text.js';
import { ChangeNotifier } from '../telemetry/change.notifier.js';
import { Log } from '../telemetry/log.js';
import type { CheckpointOffer } from './checkpoint.offer.js';
import { type WitnessAddress, parseWitnessAddress } from './witness.address.js';
import { WitnessAhead, bringCheckpoint } from './witness.call.js';
import { WitnessingService } from './witnessing.service.js';

const LONGEST_WAIT_MS = 60_000;
/** How often a coordinator that does not call witnesses looks whether it is to. */
const TAKE_OVER_MS = 2000;

/** Brings every checkpoint that is offered to witnesses outside the consortium. Each is called on its own: one that is down holds up nobody. */
@Injectable()
export class OutsideWitnesses implements OnModuleDestroy {
  readonly #stop = new AbortController();
  /** Proxies of the environment, as for any other program on the machine. */
  readonly #agent = new EnvHttpProxyAgent({ connections: 2 });
  /** Why the last call of a witness failed, by its verifier key. */
  readonly #problems = new Map<string, string>();
  readonly #pauses = new ChangeNotifier();
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly witnessing: WitnessingService,
    private readonly ledger: LedgerLog,
    private readonly identity: ConsortiumIdentity,
    private readonly log: Log,
    private readonly leases: WorkLeases,
  ) {}

  start(): void {
    const { witnessServers } = this.identity.facts;
    if (witnessServers.length > 0) this.#running = this.#serveAll(witnessServers.map(parseWitnessAddress));
  }

  async onModuleDestroy(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#agent.destroy();
  }

  /** Undefined after a call that went well, and before the first. */
  problemOf(vkey: string): string | undefined {
    return this.#problems.get(vkey);
  }

  /** One coordinator of all that are on this database: two would bring the same twice. */
  async #serveAll(witnesses: readonly WitnessAddress[]): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.leases.whileHeld('outside witnesses', async (lost) => {
          const over = AbortSignal.any([this.#stop.signal, lost]);
          await Promise.all(witnesses.map((witness) => this.#serve(witness, over)));
        });
      } catch (error) {
        this.log.error('witnesses are not called', error);
      }
      // Another one calls them, or the database does not answer.
      await this.#pauses.next(TAKE_OVER_MS, this.#stop.signal);
    }
  }

  /** @param over when somebody else is to go on */
  async #serve(witness: WitnessAddress, over: AbortSignal): Promise<void> {
    const vkey = encodeVkey(witness.key);
    let known = this.witnessing.lastCosignatures().get(vkey)?.size ?? 0;
    let failures = 0;
    while (!over.aborted) {
      const offer = this.witnessing.owedBy(witness.key, known);
      if (offer === undefined) {
        await this.witnessing.nextOffer(LONGEST_WAIT_MS, over);
        continue;
      }
      try {
        const { size, signed } = offer;
        const proofFrom = (oldSize: number) => this.ledger.consistencyProof(oldSize, size);
        const how = { dispatcher: this.#agent, signal: over };
        const lines = await bringCheckpoint(witness.url, { size, signed, proofFrom }, known, how);
        await this.#add(witness, offer, lines);
        known = size;
        if (this.#problems.delete(vkey)) this.log.info('a witness cosigns again', { address: witness.url });
        failures = 0;
      } catch (error) {
        if (over.aborted) return;
        if (error instanceof WitnessAhead && error.size <= (this.witnessing.current?.size ?? 0)) {
          // It has passed this one. The one where it is may be brought again: its answer may have been lost.
          known = error.size - 1;
          continue;
        }
        // It may quote what the witness has sent, and people read it in a terminal.
        const problem = printable(error instanceof Error ? error.message : String(error));
        if (this.#problems.get(vkey) !== problem) this.log.warn(`a witness did not cosign: ${problem}`, { address: witness.url });
        this.#problems.set(vkey, problem);
        await this.#pauses.next(retryMs(failures++), over);
      }
    }
  }

  async #add({ key }: WitnessAddress, offer: CheckpointOffer, lines: string): Promise<void> {
    try {
      await this.witnessing.addOfOutsider(key, offer, lines);
    } catch (error) {
      // Others had their quorum while it took its time, often: what is offered now is the next thing that it is brought.
      if (!(error instanceof CoordinatorError && error.code === 'not-owed')) throw error;
    }
  }
}
