import { openSync, writeSync } from 'node:fs';

/**
 * The log's file, written at once: after a crash the last line is what happened last. A disk that takes no more costs lines and nothing else: a coordinator that stops
 * or fills its memory because it cannot write down why would be worse than a gap. The gap is written down when there is room again.
 */
export class LogFile {
  readonly #descriptor: number;
  #lost = 0;
  #isTorn = false;
  #fault: string | undefined;

  constructor(
    path: string,
    private readonly writeBytes: (descriptor: number, bytes: Buffer) => number = writeSync,
  ) {
    this.#descriptor = openSync(path, 'a', 0o600);
  }

  /** Why the last line could not be written; undefined when it was. */
  get fault(): string | undefined {
    return this.#fault;
  }

  write(line: string): void {
    try {
      if (this.#lost > 0) {
        const gap = { level: 40, time: Date.now(), msg: `${this.#lost} lines of the log could not be written`, code: this.#fault };
        this.#put(`${JSON.stringify(gap)}\n`);
        this.#lost = 0;
      }
      this.#put(line);
      this.#fault = undefined;
    } catch (error) {
      this.#lost += 1;
      this.#fault = (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }

  #put(line: string): void {
    // What a full disk took of a line before stays; the next one must not begin in its middle.
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line);
    for (let written = 0; written < bytes.length;) {
      written += this.writeBytes(this.#descriptor, bytes.subarray(written));
      this.#isTorn = written < bytes.length;
    }
  }
}
