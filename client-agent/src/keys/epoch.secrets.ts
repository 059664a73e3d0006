import { randomBytes } from 'node:crypto';
import { concatBytes, generateSealingKey, SEALING_PUBLIC_KEY_BYTES, type SealingKey } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import type { KeyStore } from './key.store.js';

const KEY_BYTES = 32;

/**
 * Secrets of one key epoch of one run: the sealing key, this site's own key s_i, and, for a key holder, S_i(α_j) of every dealer
 * and the noise key k_j. All come from the operating system's generator, and all are erased when the epoch ends: stored
 * ciphertexts and boxes plus keys stolen later would open old uploads.
 */
export class EpochSecrets {
  readonly #store: KeyStore;
  readonly #group: string;

  constructor(store: KeyStore, run: string, epoch: number) {
    this.#store = store;
    this.#group = `epochs/${run}/${epoch}`;
  }

  /** Drawn once; the same key for every repetition of the request. For the offer only: everything later finds the key, or the epoch is over. */
  drawSealingKey(): SealingKey {
    const name = `${this.#group}/sealing`;
    if (this.#store.read(name) === undefined) {
      const drawn = generateSealingKey();
      this.#store.write(name, concatBytes([drawn.publicKey, drawn.privateKey]));
      drawn.privateKey.fill(0);
    }
    return this.sealingKey();
  }

  sealingKey(): SealingKey {
    const stored = this.#store.require(`${this.#group}/sealing`);
    return { publicKey: stored.subarray(0, SEALING_PUBLIC_KEY_BYTES), privateKey: stored.subarray(SEALING_PUBLIC_KEY_BYTES) };
  }

  storeSecretKey(secretKey: Uint8Array): void {
    this.#store.write(`${this.#group}/secret`, secretKey);
  }

  secretKey(): Uint8Array {
    return this.#store.require(`${this.#group}/secret`);
  }

  storeKeyShare(dealer: string, share: Uint8Array): void {
    this.#store.write(`${this.#group}/share/${dealer}`, share);
  }

  keyShare(dealer: string): Uint8Array {
    const share = this.#store.read(`${this.#group}/share/${dealer}`);
    if (share === undefined) {
      throw new AgentError('epoch-dead', `The key share of "${dealer}" is not in the key store. Restore the key store from its backup.`);
    }
    return share;
  }

  /** k_j: drawn once, with the dealing. Two noise keys for one value would let the noise be averaged out. */
  drawNoiseKey(): void {
    const name = `${this.#group}/noise`;
    if (this.#store.read(name) === undefined) this.#store.write(name, randomBytes(KEY_BYTES));
  }

  noiseKey(): Uint8Array {
    return this.#store.require(`${this.#group}/noise`);
  }
}

/** Erases the secrets of one epoch. */
export function eraseEpochSecrets(store: KeyStore, run: string, epoch: number): void {
  store.erase(`epochs/${run}/${epoch}`);
}

/** Erases the secrets of every epoch of a run. */
export function eraseRunSecrets(store: KeyStore, run: string): void {
  store.erase(`epochs/${run}`);
}
