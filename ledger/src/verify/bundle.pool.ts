import { Worker } from 'node:worker_threads';
import { folderOf } from '../export/index.js';
import type { ReadFile, TileCoordinate } from '../tiles/index.js';
import { type CheckedBundle, checkBundle } from './bundle.check.js';

/** Bundles that a thread has before it while it checks one. */
const AHEAD = 2;
/** Of a reader that answers later: so many bundles are asked for together. */
const OVER_NETWORK = 4;
/** A thread takes a tenth of a second to start; fewer entries are checked sooner without. */
const FEWEST_FOR_THREADS = 2048;

/** What the main thread tells a thread of the check. `read` answers its question for a file. */
export type ToThread =
  | { readonly is: 'bundle'; readonly id: number; readonly tile: TileCoordinate }
  | { readonly is: 'read'; readonly path: string; readonly bytes: Uint8Array | undefined };

export type FromThread =
  /** JSON without its bytes: that is a third of the time of copying so many small objects. */
  | {
      readonly is: 'checked';
      readonly id: number;
      readonly text: string;
      readonly leaves: Uint8Array;
      readonly root?: Uint8Array;
      readonly logged?: Uint8Array;
    }
  | { readonly is: 'failed'; readonly id: number; readonly error: Error }
  | { readonly is: 'ask'; readonly path: string };

/**
 * The bundles of a log, checked, in their order. A few are on their way at a time, whatever the size of the log.
 * @param threads threads beside this one; 1: everything happens here
 */
export async function* checkedBundles(
  read: ReadFile,
  tiles: Iterable<TileCoordinate>,
  { threads, size }: { readonly threads: number; readonly size: bigint },
): AsyncGenerator<CheckedBundle> {
  if (threads <= 1 || size < FEWEST_FOR_THREADS) {
    yield* inOrder(tiles, folderOf(read) === undefined ? OVER_NETWORK : 1, (tile) => checkBundle(read, tile));
    return;
  }
  const pool = new BundlePool(read, threads);
  try {
    yield* inOrder(tiles, threads * AHEAD, (tile) => pool.check(tile));
  } finally {
    await pool.close();
  }
}

async function* inOrder<In, Out>(items: Iterable<In>, width: number, work: (item: In) => Promise<Out>): AsyncGenerator<Out> {
  const running: Promise<Out>[] = [];
  for (const item of items) {
    const next = work(item);
    // Whoever stops early never asks for the later ones; their errors are not errors of the process.
    next.catch(() => {});
    running.push(next);
    if (running.length >= width) yield await running.shift()!;
  }
  for (const next of running) yield await next;
}

interface Waiting {
  readonly resolve: (bundle: CheckedBundle) => void;
  readonly reject: (error: Error) => void;
}

class BundlePool {
  readonly #threads: Worker[];
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(
    private readonly read: ReadFile,
    threads: number,
  ) {
    const folder = folderOf(read);
    const module = new URL(import.meta.resolve('@coferment/ledger/worker'));
    this.#threads = Array.from({ length: threads }, () => {
      const thread = new Worker(module, { workerData: { folder }, execArgv: [] });
      thread.on('message', (message: FromThread) => void this.#take(thread, message));
      thread.on('error', (error) => this.#fail(error as Error));
      return thread;
    });
  }

  check(tile: TileCoordinate): Promise<CheckedBundle> {
    const id = this.#next++;
    const thread = this.#threads[id % this.#threads.length]!;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      tell(thread, { is: 'bundle', id, tile });
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  async #take(thread: Worker, message: FromThread): Promise<void> {
    switch (message.is) {
      case 'checked': {
        const { id, text, leaves, root, logged } = message;
        const rest = JSON.parse(text) as Omit<CheckedBundle, 'leaves'>;
        this.#settle(id)?.resolve({ ...rest, leaves, ...(root ? { root } : {}), ...(logged ? { logged } : {}) });
        return;
      }
      case 'failed':
        this.#settle(message.id)?.reject(message.error);
        return;
      case 'ask':
        try {
          const bytes = await this.read(message.path);
          tell(thread, { is: 'read', path: message.path, bytes });
        } catch (error) {
          this.#fail(error as Error);
        }
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function tell(thread: Worker, message: ToThread): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of this process, not a window
  thread.postMessage(message);
}
