import sodium from 'libsodium-wrappers';
import { CryptoError } from '../crypto.error.js';

let ready = false;

export async function loadSodium(): Promise<void> {
  await sodium.ready;
  ready = true;
}

/** libsodium once it is initialised; 'not-loaded' before. */
export function loadedSodium(): typeof sodium {
  if (!ready) throw new CryptoError('not-loaded', 'Call `await loadCrypto()` once before sealing or opening anything.');
  return sodium;
}
