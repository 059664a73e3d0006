import { move, transferableSymbol, valueSymbol } from 'piscina';
import { CryptoError, type CryptoErrorCode } from '../crypto.error.js';

/** What a worker thread answers. A refusal is data: an Error that crosses between threads loses its class and its code. */
export type WorkerAnswer<Result> = { ok: true; result: Result } | { ok: false; code: CryptoErrorCode; message: string };

/**
 * Wraps the work of a thread so that a CryptoError comes out as {@link WorkerAnswer}. Any other error leaves as it is and ends in a
 * 'worker-lost' at the caller: it is a fault of the program, not of the input.
 *
 * @param moved buffers of the result that the thread gives away instead of copying
 */
export function answering<Task, Result>(
  work: (task: Task) => Promise<Result>,
  moved: (result: Result) => readonly Uint8Array[],
): (task: Task) => Promise<WorkerAnswer<Result>> {
  return async (task) => {
    let answer: WorkerAnswer<Result>;
    try {
      answer = { ok: true, result: await work(task) };
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      return { ok: false, code: error.code, message: error.message };
    }
    const buffers = moved(answer.result).map((bytes) => bytes.buffer);
    // piscina sends what stands under the second symbol; its types know only values that are buffers themselves.
    const moving: object = { [transferableSymbol]: buffers, [valueSymbol]: answer };
    return move(moving as ArrayBuffer) as unknown as WorkerAnswer<Result>;
  };
}
