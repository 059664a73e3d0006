import { createCipheriv } from 'node:crypto';
import { CryptoError } from '../crypto.error.js';
import { hash, type HashPart } from './purpose.hash.js';

const REFILL_BYTES = 4096;
/** What the cipher turns into the stream, in pieces. */
const ZEROS = new Uint8Array(2 ** 16);

/** A deterministic byte stream; every read takes the next bytes, so the order of reads is part of the result. */
export interface Xof {
  /** The next `length` bytes. */
  read(length: number): Uint8Array;
  /** Uniform in [0, 2^32). */
  uint32(): number;
  /** Uniform in [0, bound), by rejection: no modulo bias. `bound` ≥ 1. */
  uniformBelow(bound: bigint): bigint;
  /** Uniform multiple of 2^-53 in [0, 1). */
  float53(): number;
}

class CounterModeXof implements Xof {
  readonly #cipher;
  #buffer: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('aes-256-ctr', key, new Uint8Array(16));
  }

  read(length: number): Uint8Array {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new CryptoError('out-of-range', `Cannot read ${length} bytes of a stream: ask for a non-negative whole number.`);
    }
    const buffered = this.#buffer.length - this.#used;
    // One piece goes out as the cipher made it: most of what is read is a prime's part of a ring element.
    if (buffered === 0 && length >= REFILL_BYTES && length <= ZEROS.length) return this.#cipher.update(ZEROS.subarray(0, length));
    const out = new Uint8Array(length);
    const ready = Math.min(length, buffered);
    out.set(this.#buffer.subarray(this.#used, this.#used + ready));
    this.#used += ready;
    const missing = length - ready;
    if (missing >= REFILL_BYTES) {
      for (let at = ready; at < length; at += ZEROS.length) {
        out.set(this.#cipher.update(ZEROS.subarray(0, Math.min(ZEROS.length, length - at))), at);
      }
    } else if (missing > 0) {
      this.#buffer = this.#cipher.update(ZEROS.subarray(0, REFILL_BYTES));
      out.set(this.#buffer.subarray(0, missing), ready);
      this.#used = missing;
    }
    return out;
  }

  uint32(): number {
    return new DataView(this.read(4).buffer).getUint32(0, true);
  }

  uniformBelow(bound: bigint): bigint {
    if (bound < 1n) throw new CryptoError('out-of-range', `No number lies in [0, ${bound}): the bound must be at least 1.`);
    const bits = (bound - 1n).toString(2).length;
    const bytes = Math.ceil(bits / 8);
    for (;;) {
      const candidate = BigInt.asUintN(bits, BigInt('0x' + Buffer.from(this.read(bytes)).reverse().toString('hex')));
      if (candidate < bound) return candidate;
    }
  }

  float53(): number {
    const view = new DataView(this.read(8).buffer);
    return (view.getUint32(4, true) * 2 ** 21 + (view.getUint32(0, true) >>> 11)) / 2 ** 53;
  }
}

/**
 * Expandable stream for a purpose and its inputs: AES-256-CTR (zero counter) under the key hash('xof', purpose, ...parts).
 * Each input gives a fresh key, so the zero counter never repeats under one key.
 */
export function xof(purpose: string, ...parts: HashPart[]): Xof {
  return new CounterModeXof(hash('xof', purpose, ...parts));
}
