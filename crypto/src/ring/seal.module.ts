import createSeal, { type MainModule } from 'node-seal';
import { CryptoError } from '../crypto.error.js';

let seal: MainModule | undefined;

export async function loadSeal(): Promise<void> {
  seal ??= await createSeal();
}

/** The SEAL module once it is initialised; 'not-loaded' before. */
export function loadedSeal(): MainModule {
  if (seal === undefined) throw new CryptoError('not-loaded', 'Call `await loadCrypto()` once before any ring arithmetic.');
  return seal;
}

/** Runs `body` and frees the given WebAssembly objects whatever happens: the garbage collector does not. */
export function freeing<T>(objects: readonly { delete(): void }[], body: () => T): T {
  try {
    return body();
  } finally {
    for (const object of objects) object.delete();
  }
}
