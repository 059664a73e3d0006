import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLedgered, type Plan, parsePlan, peekStatement, vectorShape } from '@coferment/consortium';
import { concatBytes, CryptoPool, type DsseEnvelope, generateIdentity, type Identity, packVector } from '@coferment/crypto';
import { entryFor } from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import type { CoordinatorPort, LoggedEntry, OutgoingObject } from '../connection/coordinator.port.js';
import { ObjectCache } from '../connection/object.cache.js';
import { Journal } from '../journal/journal.js';
import { KeyStore } from '../keys/key.store.js';
import type { PolicyInForce, SitePolicy } from '../policy/policy.file.js';
import { parsePolicy } from '../policy/policy.parser.js';
import type { BuiltVector, Trainer, VectorJob } from '../training/site.trainer.js';
import '../testing/lowest-cost.passphrases.fixture.js';
import { SiteStorage } from '../storage/site.storage.js';
import { NonceMemory } from './nonce.memory.js';
import type { AgentEvent, SiteContext } from './site.context.js';

export const CONSORTIUM = 'acme';
const PASSPHRASE = 'correct horse battery';

export const fixturePlan = (rounds = 2): Plan =>
  parsePlan({
    schema: 1,
    plan: 'fixture',
    sample: { of: ['temperature'], summarise: ['last'] },
    target: { variable: 'product_concentration' },
    model: { kind: 'linear' },
    normalisation: 'none',
    training: { initialRange: 1 },
    rounds,
  });

/** A site whose "records" are a constant update, so that tests are about the protocol. Counts how often it was asked to train. */
export class ConstantTrainer implements Trainer {
  readonly source = { batches: 'b'.repeat(64), mapping: 'a'.repeat(64), software: 'a fixture' };
  trained = 0;
  rows = 10;
  /** What it says in the statistics sum. */
  claimedRows = 10n;

  trainingRows(): number {
    return this.rows;
  }

  build({ kind, plan, parameters }: VectorJob): Promise<BuiltVector> {
    this.trained += 1;
    const shape = vectorShape(plan, kind);
    const zero = 2 ** (parameters.valueBits - 1);
    const exact = { statistics: [this.claimedRows], update: [8n, 5n, 100n, 7n], evaluate: [5n, 100n] }[kind];
    // The number of trainings shows in the vector: a second training would give another one.
    const coefficients = packVector(shape, parameters, new Uint32Array(shape.packed).fill(zero + this.trained), exact);
    const vector = {
      coefficients,
      samples: 10,
      batches: 2,
      dataReport: '7d'.repeat(32),
      salt: new Uint8Array(32).fill(3),
      backend: 'wasm' as const,
      saturated: 0,
    };
    return Promise.resolve({ vector, report: { rows: 10, holdoutRows: 5, trainLoss: 1, saturated: 0 } });
  }
}

/** Everything that sites have sent: acts by name and signer, objects by digest. Can be told to fail. */
export class SharedBoard {
  readonly objects = new Map<string, Uint8Array>();
  readonly acts: { site: string; envelope: DsseEnvelope }[] = [];
  /** What was asked for in parts, by whom. */
  readonly parts: { site: string; digest: string; offset: number }[] = [];
  /** Digests of the blocks of an upload or share, as an honest coordinator reads them from its store. */
  digestsOf: (digest: string) => Uint8Array[] = () => [];
  /** Of members whose acts are logged. */
  readonly identityKeys = new Map<string, Uint8Array>();
  /** Every act that belongs into the ledger, as an honest coordinator logs it. */
  readonly ledger: LoggedEntry[] = [];
  failing = false;

  portOf(site: string): CoordinatorPort {
    const accept = (envelope: DsseEnvelope) => {
      if (this.failing) return Promise.reject(new AgentError('unreachable', 'the line is cut'));
      this.acts.push({ site, envelope });
      this.#log(site, envelope);
      return Promise.resolve();
    };
    return {
      poll: () => Promise.reject(new AgentError('unreachable', 'this board is not polled')),
      submitStatement: accept,
      submitNonce: accept,
      submitShare: accept,
      upload: async ({ digest, pieces }: OutgoingObject) => {
        if (this.failing) throw new AgentError('unreachable', 'the line is cut');
        const bytes: Uint8Array[] = [];
        for await (const piece of pieces(0)) bytes.push(piece);
        this.objects.set(digest, concatBytes(bytes));
      },
      download: (digest) => {
        const bytes = this.objects.get(digest);
        return bytes === undefined ? Promise.reject(new AgentError('object-mismatch', `no object ${digest}`)) : Promise.resolve(bytes);
      },
      downloadPart: (digest, offset, length) => {
        if (this.failing) return Promise.reject(new AgentError('unreachable', 'the line is cut'));
        this.parts.push({ site, digest, offset });
        const bytes = this.objects.get(digest)?.subarray(offset, offset + length);
        return bytes?.length === length ? Promise.resolve(bytes) : Promise.reject(new AgentError('object-mismatch', `no object ${digest}`));
      },
      blockDigests: (digest) => Promise.resolve(this.digestsOf(digest)),
      receipt: () => Promise.reject(new AgentError('unreachable', 'this board gives no receipts')),
      ledgerEntries: (start, limit) => Promise.resolve(this.ledger.slice(start, start + limit)),
      awaitCheckpoint: () => Promise.reject(new AgentError('unreachable', 'this board has no log')),
      newestCheckpoint: () => Promise.reject(new AgentError('unreachable', 'this board has no log')),
      addCosignature: () => Promise.reject(new AgentError('unreachable', 'this board has no log')),
      consistencyProof: () => Promise.reject(new AgentError('unreachable', 'this board has no log')),
    };
  }

  #log(site: string, envelope: DsseEnvelope): void {
    const identityKey = this.identityKeys.get(site);
    const payload = Buffer.from(envelope.payload, 'base64');
    const known = this.ledger.some((logged) => payload.equals(logged.payload));
    if (identityKey === undefined || known || !isLedgered(peekStatement(envelope).name)) return;
    this.ledger.push({ index: this.ledger.length, entry: entryFor(envelope, identityKey), payload });
  }

  /** The newest act of this name by each site, in site order. */
  latest(name: string): DsseEnvelope[] {
    const found = new Map<string, DsseEnvelope>();
    for (const { site, envelope } of this.acts) if (peekStatement(envelope).name === name) found.set(site, envelope);
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, envelope]) => envelope);
  }

  all(name: string): DsseEnvelope[] {
    return this.acts.flatMap(({ envelope }) => (peekStatement(envelope).name === name ? [envelope] : []));
  }
}

export interface Member extends SiteContext {
  folder: string;
  trainer: ConstantTrainer;
  events: AgentEvent[];
  policy: TestPolicy;
}

/** The rules of a site, which a test may change at any time. */
export class TestPolicy implements SitePolicy {
  #text = 'schema: 1';

  set(text: string): void {
    this.#text = text;
  }

  current(): PolicyInForce {
    return { policy: parsePolicy(this.#text, 'policy.yaml'), file: 'policy.yaml', digest: '' };
  }
}

export function createMember(site: string, board: SharedBoard, operatorKey: Uint8Array): Member {
  const folder = mkdtempSync(join(tmpdir(), `agent-${site}-`));
  return openMember(site, folder, board, operatorKey, generateIdentity(), KeyStore.create(join(folder, 'keys'), PASSPHRASE));
}

/** Ends a site and removes its folder. */
export function removeMember({ journal, folder }: Pick<Member, 'journal' | 'folder'>): void {
  journal.close();
  rmSync(folder, { recursive: true, force: true });
}

/** As a new process on the same folder: nothing that was only in memory is left. */
export function reopenMember(old: Member, board: SharedBoard): Member {
  old.journal.close();
  return openMember(old.site, old.folder, board, old.operatorKey, old.identity, KeyStore.open(join(old.folder, 'keys'), PASSPHRASE));
}

function openMember(
  site: string,
  folder: string,
  board: SharedBoard,
  operatorKey: Uint8Array,
  identity: Identity,
  store: KeyStore,
): Member {
  const events: AgentEvent[] = [];
  board.identityKeys.set(site, identity.publicKey);
  return {
    folder,
    consortium: CONSORTIUM,
    site,
    identity,
    operatorKey,
    journal: Journal.open(join(folder, 'journal.sqlite'), { identity, vault: store }),
    policy: new TestPolicy(),
    store,
    objects: new ObjectCache(join(folder, 'objects')),
    port: board.portOf(site),
    trainer: new ConstantTrainer(),
    nonces: new NonceMemory(),
    storage: new SiteStorage(folder, (event) => void events.push(event)),
    crypto: new CryptoPool({ threads: 0 }),
    events,
    tell: (event) => events.push(event),
  };
}
