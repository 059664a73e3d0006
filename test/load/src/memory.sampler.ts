import type { CoordinatorProcess } from './coordinator.process.js';
import { growthOf, type MemorySample } from './process.figures.js';

const EVERY_MS = 1_000;

/** What the coordinator's process holds, once a second. */
export class MemorySampler {
  readonly samples: MemorySample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #startedMs = 0;
  #firstOfRounds = 0;

  constructor(private readonly coordinator: CoordinatorProcess) {}

  start(): void {
    this.#startedMs = Date.now();
    this.#timer = setInterval(() => void this.#sample(), EVERY_MS);
  }

  /** What was before belongs to the ceremony: it has its own peak. */
  beginRounds(): void {
    this.#firstOfRounds = this.samples.length;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  growth(): Record<'rssMB' | 'heapMB', ReturnType<typeof growthOf>> {
    const ofRounds = this.samples.slice(this.#firstOfRounds);
    return {
      rssMB: growthOf(ofRounds.map(({ rssMB }) => rssMB)),
      heapMB: growthOf(ofRounds.map(({ heapMB }) => heapMB).filter((value) => !Number.isNaN(value))),
    };
  }

  /** A sample that the coordinator was too busy to give, or was stopped for, is left out. */
  async #sample(): Promise<void> {
    try {
      const metric = await this.coordinator.metrics();
      const heapMB = metric('nodejs_heap_size_used_bytes') / 1e6;
      this.samples.push({ ...this.coordinator.figures(), heapMB, atSeconds: (Date.now() - this.#startedMs) / 1000 });
    } catch {
      // The next one is a second away.
    }
  }
}
