import { join } from 'node:path';
import { generateIdentity, type Identity } from '@coferment/crypto';
import { leafHash, MerkleTree, publicKeyFromSeed, signCheckpoint, verifierKey } from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import type { OfferedCheckpoint } from '../connection/coordinator.port.js';
import { Journal } from '../journal/journal.js';
import type { AgentEvent } from '../rounds/site.context.js';
import { SharedBoard } from '../rounds/members.fixture.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { SiteStorage } from '../storage/site.storage.js';
import type { WitnessContext } from './witness.context.js';

export const ORIGIN = 'ledger.example/acme';
export const LOG_SEED = new Uint8Array(32).fill(1);
export const LOG_KEY = verifierKey('log', ORIGIN, publicKeyFromSeed(LOG_SEED));

/** A log of short words, which can go on in other ones. */
export class WordLog {
  readonly tree: MerkleTree;

  constructor(readonly words: readonly string[]) {
    this.tree = new MerkleTree(words.map((word) => leafHash(Buffer.from(word))));
  }

  static counting(size: number): WordLog {
    return new WordLog(Array.from({ length: size }, (_, index) => `entry ${index}`));
  }

  /** The first `at` entries, then others. */
  forked(at: number, size: number): WordLog {
    return new WordLog([...this.words.slice(0, at), ...Array.from({ length: size - at }, (_, index) => `other ${at + index}`)]);
  }

  note(size = this.words.length, seed: Uint8Array = LOG_SEED, origin = ORIGIN): string {
    return signCheckpoint({ origin, size: BigInt(size), root: this.tree.root(BigInt(size)) }, seed);
  }

  /** As an honest coordinator offers it. */
  offer(oldSize: number, size = this.words.length): OfferedCheckpoint {
    return { note: this.note(size), proof: oldSize === 0 ? [] : this.proof(oldSize, size) };
  }

  proof(oldSize: number, size = this.words.length): Uint8Array[] {
    return oldSize === size ? [] : this.tree.consistencyProof(BigInt(oldSize), BigInt(size));
  }
}

/** The site `a` as a witness, on a real journal, before a coordinator that a test writes the answers of. */
export class WitnessingSite {
  readonly folder = temporaryFolder('agent-witness');
  readonly identity: Identity = generateIdentity();
  readonly board = new SharedBoard();
  readonly events: AgentEvent[] = [];
  /** Cosigned notes as they left. */
  readonly sent: string[] = [];
  nowMs = 1_800_000_000_000;
  /** Answers to AwaitCheckpoint, one after the other; then nothing new, for as long as it is asked. */
  offers: ((oldSize: number) => OfferedCheckpoint | undefined)[] = [];
  asked: number[] = [];
  /** Called before a cosignature is taken. */
  onCosignature: (note: string) => void = () => {};
  /** The newest that the log has signed. */
  newest: () => string = () => '';
  proofs: (oldSize: number, newSize: number) => Uint8Array[] = () => [];
  context: WitnessContext;

  constructor() {
    this.context = this.open();
  }

  /** As a new process on the same folder. */
  restart(): void {
    this.context.journal.close();
    this.context = this.open();
  }

  /** One more process on the folder: what a lock forbids, and the transaction must withstand. */
  open(): WitnessContext {
    return {
      consortium: 'acme',
      site: 'a',
      identity: this.identity,
      log: LOG_KEY,
      journal: Journal.open(join(this.folder, 'journal.sqlite'), { identity: this.identity }, () => this.nowMs),
      tell: (event) => this.events.push(event),
      storage: new SiteStorage(this.folder, (event) => this.events.push(event)),
      port: {
        ...this.board.portOf('a'),
        awaitCheckpoint: (oldSize, waitMs, signal) => {
          this.asked.push(oldSize);
          const next = this.offers.shift();
          if (next !== undefined) return Promise.resolve(next(oldSize));
          return new Promise((resolve) => {
            const timer = setTimeout(() => resolve(undefined), Math.min(waitMs, 5));
            signal.addEventListener('abort', () => (clearTimeout(timer), resolve(undefined)), { once: true });
          });
        },
        newestCheckpoint: () => Promise.resolve(this.newest()),
        addCosignature: (note) => {
          try {
            this.onCosignature(note);
          } catch (error) {
            return Promise.reject(error instanceof Error ? error : new AgentError('unreachable', String(error)));
          }
          this.sent.push(note);
          return Promise.resolve();
        },
        consistencyProof: (oldSize, newSize) => Promise.resolve(this.proofs(oldSize, newSize)),
      },
    };
  }

  get journal(): Journal {
    return this.context.journal;
  }
}
