import { CoordinatorError } from '../errors/index.js';

/**
 * What comes, for as long as it keeps coming. The time in which the receiver is busy with a part does not count.
 * @throws CoordinatorError 'unreachable' when nothing has come for `idleMs`
 */
export async function* withinIdle<T>(parts: AsyncIterable<T>, idleMs: number): AsyncGenerator<T, undefined, undefined> {
  const source = parts[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await beforeIdle(source.next(), idleMs);
      if (next.done === true) return undefined;
      yield next.value;
    }
  } finally {
    // Not awaited: a source from which nothing comes does not end either until its call has.
    void source.return?.();
  }
}

async function beforeIdle<T>(part: Promise<T>, idleMs: number): Promise<T> {
  const { promise: idle, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      reject(
        new CoordinatorError(
          'unreachable',
          `Nothing of this upload came for ${Math.round(idleMs / 1000)} s, so it has been ended. What came is kept: resume where it stopped.`,
        ),
      ),
    idleMs,
  );
  try {
    return await Promise.race([part, idle]);
  } finally {
    clearTimeout(timer);
  }
}
