import { randomBytes } from 'node:crypto';
import { bytesToHex } from '@coferment/crypto';

interface OpenNonce {
  sum: number;
  attempt: number;
  nonce: Uint8Array;
}

/**
 * Nonces live in memory only and are wiped at first use: an agent that was restarted, or restored from a backup, cannot encrypt in an attempt it
 * opened before (secure-aggregation.md R2). One a run: a newer attempt wipes the older nonce.
 */
export class NonceMemory {
  readonly #open = new Map<string, OpenNonce>();

  /** The nonce of this attempt, hex; drawn when there is none. */
  draw(run: string, sum: number, attempt: number): string {
    const open = this.#find(run, sum, attempt);
    if (open !== undefined) return bytesToHex(open.nonce);
    this.wipe(run);
    const nonce = new Uint8Array(randomBytes(32));
    this.#open.set(run, { sum, attempt, nonce });
    return bytesToHex(nonce);
  }

  /** Undefined when this attempt was opened by another process, or never. */
  peek(run: string, sum: number, attempt: number): string | undefined {
    const open = this.#find(run, sum, attempt);
    return open === undefined ? undefined : bytesToHex(open.nonce);
  }

  wipe(run: string): void {
    this.#open.get(run)?.nonce.fill(0);
    this.#open.delete(run);
  }

  #find(run: string, sum: number, attempt: number): OpenNonce | undefined {
    const open = this.#open.get(run);
    return open !== undefined && open.sum === sum && open.attempt === attempt ? open : undefined;
  }
}
