import { Piscina } from 'piscina';
import { CryptoError } from '../crypto.error.js';
import type { WorkerAnswer } from './worker.answer.js';

export interface WorkerPoolOptions {
  /** For messages: what these threads do. */
  what: string;
  /** URL of a module whose default export is made by `answering`. */
  module: string;
  threads: number;
}

/** Threads that have had nothing to do for so long end, and their memory is free: about 80 MB each, mostly SEAL and its tables. */
const IDLE_MS = 30_000;

interface Running<Task, Result> {
  threads: Piscina<Task, WorkerAnswer<Result>>;
  /** Why they had to end. */
  cause?: string;
}

/**
 * Threads that all run one function. They start with the first task and end when idle. A thread that dies takes the tasks of the whole pool with it, each
 * with a 'worker-lost': a task that waits for a thread which never comes would hang for ever. The next task starts new threads.
 */
export class WorkerPool<Task, Result> {
  #running: Running<Task, Result> | undefined;
  #closed = false;

  constructor(private readonly options: WorkerPoolOptions) {}

  /** @throws CryptoError as the function threw it in its thread; 'worker-lost' when a thread died, failed otherwise, or the pool was closed */
  async run(task: Task): Promise<Result> {
    if (this.#closed) throw this.#lost('the pool is closed');
    const running = (this.#running ??= this.#start());
    let answer: WorkerAnswer<Result>;
    try {
      answer = await running.threads.run(task);
    } catch (error) {
      await this.#end(running, error);
      throw this.#lost(running.cause ?? '');
    }
    if (!answer.ok) throw new CryptoError(answer.code, answer.message);
    return answer.result;
  }

  /** Ends the threads, also in the middle of a task. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#running !== undefined) await this.#end(this.#running, new Error('the pool was closed'));
  }

  #start(): Running<Task, Result> {
    const threads = new Piscina<Task, WorkerAnswer<Result>>({
      filename: this.options.module,
      minThreads: 0,
      maxThreads: this.options.threads,
      idleTimeout: IDLE_MS,
      recordTiming: false,
      // Flags of the caller's process are not for its threads: a test runner's loaders and export conditions would load sources there.
      execArgv: [],
    });
    const running: Running<Task, Result> = { threads };
    threads.on('error', (error) => void this.#end(running, error));
    return running;
  }

  async #end(running: Running<Task, Result>, error: unknown): Promise<void> {
    running.cause ??= error instanceof Error ? error.message : String(error);
    if (this.#running === running) this.#running = undefined;
    await running.threads.destroy();
  }

  #lost(cause: string): CryptoError {
    return new CryptoError('worker-lost', `A worker thread for ${this.options.what} was lost: ${cause}. Nothing of its work was used.`);
  }
}
