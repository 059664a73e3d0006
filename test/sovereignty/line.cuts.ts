import { setTimeout as sleep } from 'node:timers/promises';
import type { ProgramEvent } from '../../demo/src/processes/index.js';
import type { TcpRelay } from '../../client-agent/src/testing/tcp.relay.fixture.js';

export const PHASES = ['key ceremony', 'training', 'uploading', 'attesting', 'decrypting', 'applying'] as const;
export type Phase = (typeof PHASES)[number];

/** `reset`: everybody is told. `silent`: nobody is, and what waited goes on. `forgotten`: nobody is, and only new connections pass afterwards. */
export type Cut = 'reset' | 'silent' | 'forgotten';

export interface CutRecord {
  phase: Phase;
  cut: Cut;
  cutMs: number;
  /** From the end of the cut until a site was connected and sent something again. */
  backMs: number | undefined;
}

/** Cuts the one line of all sites, once in each phase of the first training round: when the first of them is asked to do what the phase is made of. */
export class LineCuts {
  readonly records: CutRecord[] = [];
  readonly #seen = new Set<Phase>();
  #line: Promise<void> = Promise.resolve();
  #restoredAt = 0;

  constructor(
    private readonly relay: TcpRelay,
    private readonly cutMs: number,
    private readonly kinds: Readonly<Record<Phase, Cut>>,
    /** Bytes of an upload that pass before the line is cut in the middle of it. */
    private readonly uploadBytes: number,
  ) {}

  take(event: ProgramEvent): void {
    const last = this.records.at(-1);
    if (event['event'] === 'sent' && this.relay.open && last !== undefined && last.backMs === undefined && this.#restoredAt > 0)
      last.backMs = Date.now() - this.#restoredAt;
    if (event['event'] !== 'instruction') return;
    const phase = this.#phaseOf(event);
    if (phase === undefined || this.#seen.has(phase)) return;
    this.#seen.add(phase);
    if (phase === 'uploading') this.relay.afterSending(this.uploadBytes, () => this.#cut(phase));
    else this.#cut(phase);
  }

  /** When the last cut is over. */
  get settled(): Promise<void> {
    return this.#line;
  }

  #phaseOf(event: ProgramEvent): Phase | undefined {
    const training = Number(event['round'] ?? 0) >= 1;
    switch (event['kind']) {
      case 'deal':
        return 'key ceremony';
      case 'prepareSum':
        return training ? 'training' : undefined;
      case 'encrypt':
        return training ? 'uploading' : undefined;
      // It does not say what it attests; what comes after the uploads of a training round is that round.
      case 'attest':
        return this.#seen.has('uploading') ? 'attesting' : undefined;
      case 'releaseShare':
        return training ? 'decrypting' : undefined;
      case 'applySum':
        return training ? 'applying' : undefined;
      default:
        return undefined;
    }
  }

  #cut(phase: Phase): void {
    // One after the other: a phase can begin while the line of the one before is still cut.
    this.#line = this.#line.then(async () => {
      const { relay, cutMs } = this;
      const cut = this.kinds[phase];
      this.records.push({ phase, cut, cutMs, backMs: undefined });
      if (cut === 'reset') relay.refuse();
      else relay.silence();
      await sleep(cutMs);
      this.#restoredAt = Date.now();
      if (cut === 'forgotten') relay.forget();
      else relay.restore();
    });
  }
}
