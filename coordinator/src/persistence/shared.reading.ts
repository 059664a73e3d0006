/**
 * One reading of the database for everybody who wants the same at the same time. A hundred polls that one change wakes would otherwise read the same rows a
 * hundred times, one transaction after the other. Every answer is from a reading that began after it was asked for, so nobody sees less than what was
 * committed before.
 */
export class SharedReading<T> {
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<T> | undefined;

  constructor(private readonly read: () => Promise<T>) {}

  /** What a reading finds that begins after this call. Fails with it, for all who share it. */
  fresh(): Promise<T> {
    this.#next ??= this.#afterRunning();
    return this.#next;
  }

  async #afterRunning(): Promise<T> {
    await this.#running.catch(() => undefined);
    // From here on whoever asks is given the reading after this one.
    this.#next = undefined;
    const reading = this.read();
    this.#running = reading;
    return reading;
  }
}
