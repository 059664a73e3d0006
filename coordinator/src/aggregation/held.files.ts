import { ObjectGone } from '../objects/object.gone.js';
import type { ObjectStore } from '../objects/object.store.js';
import { DamagedObject } from './damaged.object.js';

interface HeldFile {
  /** For messages: `the upload of "alpha" to sum 4`. */
  what: string;
  path: string;
  object: string;
}

/**
 * Does some work on files of the store, which lie on this machine as long as it lasts.
 * @throws DamagedObject naming the one that the store does not have as it was stored
 */
export async function withFiles<T>(store: ObjectStore, files: readonly HeldFile[], work: () => Promise<T>): Promise<T> {
  try {
    return await store.held(
      files.map(({ object }) => object),
      work,
    );
  } catch (error) {
    if (error instanceof ObjectGone) {
      const gone = files.find(({ object }) => object === error.digest);
      throw new DamagedObject(gone?.what ?? 'a file of the sum', error.place, error.reason);
    }
    const damaged = error instanceof DamagedObject ? files.find(({ path }) => path === error.path) : undefined;
    if (damaged !== undefined) await store.distrust(damaged.object);
    throw error;
  }
}
