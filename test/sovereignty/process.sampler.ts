import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const EVERY_MS = 50;

/** What the operating system shows of processes to whoever may look: arguments and environments. Linux only, as the tests are. */
export class ProcessSampler {
  readonly arguments = new Set<string>();
  readonly environments = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  /** @param folder processes whose arguments name it are watched */
  constructor(private readonly folder: string) {
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const line = readFileSync(join('/proc', pid, 'cmdline'), 'latin1');
        if (!line.includes(this.folder)) continue;
        this.arguments.add(line);
        this.environments.add(readFileSync(join('/proc', pid, 'environ'), 'latin1'));
      } catch {
        // It ended while it was looked at.
      }
    }
  }
}
