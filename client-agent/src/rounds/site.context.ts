import type { CryptoPool, Identity } from '@coferment/crypto';
import type { CoordinatorPort } from '../connection/coordinator.port.js';
import type { ObjectCache } from '../connection/object.cache.js';
import type { ShownRoster } from '../journal/approvals.repository.js';
import type { Journal } from '../journal/journal.js';
import type { KeyStore } from '../keys/key.store.js';
import type { SitePolicy } from '../policy/policy.file.js';
import type { Trainer } from '../training/site.trainer.js';
import type { SiteStorage, StorageEvent } from '../storage/site.storage.js';
import type { NonceMemory } from './nonce.memory.js';

/** What an agent tells whoever watches it: one JSON line each with `serve --json`. */
export type AgentEvent =
  | {
      event: 'trained';
      run: string;
      round: number;
      sum: number;
      kind: string;
      rows: number;
      holdoutRows: number;
      trainLoss: number | null;
      saturated: number;
    }
  | { event: 'applied'; run: string; round: number; sum: number; kind: string; model: string }
  | { event: 'receipt'; run: string; sum: number; witnesses: number }
  | { event: 'run-closed'; run: string; status: string; model: string }
  | { event: 'sent'; run: string; name: string; bytes: number; digest: string }
  | { event: 'instruction'; run: string; kind: string; round?: number; sum?: number; attempt?: number }
  | { event: 'waiting'; run: string; reason: string; whatToDo: string }
  | { event: 'approved-by-policy'; run: string; plan: string }
  | { event: 'refused'; run: string; code: string; message: string }
  | { event: 'cosigned'; size: string }
  | { event: 'split-view'; id: number; message: string }
  | StorageEvent
  | { event: 'connected' }
  | { event: 'disconnected'; message: string };

/** Everything that handlers work with. They decide; what they touch is passed in. */
export interface SiteContext {
  consortium: string;
  site: string;
  identity: Identity;
  operatorKey: Uint8Array;
  journal: Journal;
  /** The standing rules of the site, as they are at this moment. */
  policy: SitePolicy;
  store: KeyStore;
  objects: ObjectCache;
  port: CoordinatorPort;
  trainer: Trainer;
  nonces: NonceMemory;
  storage: SiteStorage;
  /** Encryption and shares, off the event loop. */
  crypto: CryptoPool;
  tell(event: AgentEvent): void;
}

/**
 * What became of an instruction; a refusal is thrown. `waiting` is shown to people: only they can let it go on, or it names a time. `later` goes on by itself,
 * once the sums before it are applied.
 */
export type Outcome = { outcome: 'done' } | { outcome: 'later' } | Waiting;

export interface Waiting {
  outcome: 'waiting';
  reason: string;
  /** Empty where it goes on by itself. */
  whatToDo: string;
  /** The roster that people are asked about. */
  shows?: ShownRoster;
}

export const DONE: Outcome = { outcome: 'done' };
export const LATER: Outcome = { outcome: 'later' };

export function waiting(reason: string, whatToDo: string, shows?: ShownRoster): Outcome {
  return { outcome: 'waiting', reason, whatToDo, ...(shows === undefined ? {} : { shows }) };
}
