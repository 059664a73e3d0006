import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vectorShape, WIRE_VERSION } from '@coferment/consortium';
import { CryptoPool, hexToBytes, packVector, sha256Hex } from '@coferment/crypto';
import '../../../client-agent/src/testing/lowest-cost.passphrases.fixture.js';
import { AgentError } from '../../../client-agent/src/agent.error.js';
import { CoordinatorRefusal } from '../../../client-agent/src/connection/coordinator.errors.js';
import type { CoordinatorPort } from '../../../client-agent/src/connection/coordinator.port.js';
import { type Instruction, parseInstruction } from '../../../client-agent/src/connection/instruction.parser.js';
import { ObjectCache } from '../../../client-agent/src/connection/object.cache.js';
import { SiteStorage } from '../../../client-agent/src/storage/site.storage.js';
import { WireClient } from '../../../client-agent/src/connection/wire.client.js';
import { joinConsortium } from '../../../client-agent/src/enrolment/join.flow.js';
import { readMembership } from '../../../client-agent/src/enrolment/membership.file.js';
import { endpointOf } from '../../../client-agent/src/enrolment/renewal.flow.js';
import { Journal } from '../../../client-agent/src/journal/journal.js';
import { KeyStore } from '../../../client-agent/src/keys/key.store.js';
import { openSiteIdentity, readTlsCredential } from '../../../client-agent/src/keys/site.identity.js';
import { settledPolicy } from '../../../client-agent/src/policy/policy.file.js';
import { carryOut } from '../../../client-agent/src/rounds/instruction.router.js';
import { NonceMemory } from '../../../client-agent/src/rounds/nonce.memory.js';
import { recallOwnActs } from '../../../client-agent/src/rounds/own.acts.js';
import { forgetEndedRuns } from '../../../client-agent/src/rounds/run.departure.js';
import type { Outcome, SiteContext } from '../../../client-agent/src/rounds/site.context.js';
import { temporaryFolder } from '../../../client-agent/src/testing/temporary.folder.fixture.js';
import type { BuiltVector, Trainer, VectorJob } from '../../../client-agent/src/training/site.trainer.js';
import type { RunRow } from '../../../coordinator/src/runs/run.entity.js';
import { Killed } from './agent.stops.js';

const PASSPHRASE = 'a passphrase of an agent in tests';

/** What one call cannot do keeps no other instruction from being carried out. */
class CutLine extends AgentError {}

/** The same update for the same site and model, as a seeded training gives it, so that what a fault changes shows in the model. */
class SteadyTrainer implements Trainer {
  readonly source = { batches: 'b'.repeat(64), mapping: 'a'.repeat(64), software: 'a fixture' };

  constructor(private readonly site: string) {}

  trainingRows(): number {
    return 10;
  }

  build({ kind, plan, parameters }: VectorJob): Promise<BuiltVector> {
    const shape = vectorShape(plan, kind);
    const exact = { statistics: [10n], update: [8n, 5n, 100n, 7n], evaluate: [5n, 100n] }[kind];
    const value = 2 ** (parameters.valueBits - 1) + this.site.length;
    const coefficients = packVector(shape, parameters, new Uint32Array(shape.packed).fill(value), exact);
    const facts = { samples: 10, batches: 2, dataReport: '7d'.repeat(32), salt: new Uint8Array(32).fill(3), backend: 'wasm' as const };
    const report = { rows: 10, holdoutRows: 5, trainLoss: 1, saturated: 0 };
    return Promise.resolve({ vector: { coefficients, ...facts, saturated: 0 }, report });
  }
}

/**
 * A real agent on its real folder, with the coordinator over gRPC and TLS; only its training is constant, and it asks once when it is told to. Its people
 * approve whatever is shown to them.
 */
export class LiveAgent {
  context!: SiteContext;
  /** Calls that its line does not let through. */
  readonly cut = new Set<keyof CoordinatorPort>();
  /** Whether its shares are noise. */
  garbles = false;
  #client!: WireClient;
  #recalled = false;

  private constructor(
    readonly site: string,
    readonly folder: string,
  ) {}

  static async join(site: string, invite: string): Promise<LiveAgent> {
    const root = temporaryFolder('matrix-agent');
    const [folder, inviteFile] = [join(root, 'data'), join(root, 'invite.json')];
    mkdirSync(root, { recursive: true });
    writeFileSync(inviteFile, invite);
    await joinConsortium({ folder, inviteFile, passphrase: PASSPHRASE });
    return new LiveAgent(site, folder).#open();
  }

  /** A new process on the same folder. */
  async startAgain(): Promise<void> {
    this.kill();
    await this.#open();
  }

  kill(): void {
    this.#client.close();
    this.context.journal.close();
  }

  /** A new connection, at once: how fast a cut line is noticed is tested elsewhere. */
  reconnect(): void {
    this.#client.close();
    this.#client = new WireClient(endpointOf(readMembership(this.folder)), readTlsCredential(this.context.store));
    this.context.port = this.#port();
    this.#recalled = false;
  }

  /** Whether it has nothing more to do in a run that is over: one that it had not approved was never its own. */
  hasClosed(run: string): boolean {
    return this.context.journal.runs.get(run)?.state !== 'approved';
  }

  decide({ plan, ordinal, sites }: Pick<RunRow, 'plan' | 'ordinal' | 'sites'>, decision: 'approved' | 'withdrawn'): void {
    this.context.journal.approvals.decidePlan(plan, ordinal, decision, sites);
  }

  loseObjects(): void {
    rmSync(join(this.folder, 'objects'), { recursive: true, force: true });
    mkdirSync(join(this.folder, 'objects'), { mode: 0o700 });
  }

  /** Asks once and does all that is owed. @throws Killed; all else is a refusal that a person would see, and is thrown too */
  async work(): Promise<void> {
    const { journal, port } = this.context;
    try {
      if (!this.#recalled) await recallOwnActs(this.context);
      this.#recalled = true;
      const positions = journal.runs
        .all()
        .filter(({ state }) => state !== 'asked')
        .map(({ run }) => ({ run, appliedSum: journal.models.progress(run).appliedSum, epoch: journal.runs.newestAgreed(run) }));
      const request = { wireVersion: WIRE_VERSION, waitMs: 0, positions, known: '', authorities: 0 };
      const { instructions } = await port.poll(request, new AbortController().signal);
      for (const wire of instructions) {
        const instruction = parseInstruction(wire);
        if (instruction.kind === 'malformed') throw new Error(instruction.reason);
        await this.#follow(instruction);
      }
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
  }

  async #follow(instruction: Instruction): Promise<void> {
    try {
      const outcome = await carryOut(this.context, instruction);
      if (outcome.outcome === 'waiting' && this.#decide(instruction, outcome)) await carryOut(this.context, instruction);
    } catch (error) {
      if (error instanceof CutLine) return;
      if (!(error instanceof CoordinatorRefusal && ['not-owed', 'run-over'].includes(error.refusal))) throw error;
    }
  }

  /** @returns whether there was something to decide */
  #decide(instruction: Instruction, { shows }: Extract<Outcome, { outcome: 'waiting' }>): boolean {
    const { approvals, newSets } = this.context.journal;
    if (instruction.kind === 'approveNewSet') {
      newSets.decide(sha256Hex(Buffer.from(instruction.body.proposal.payload, 'base64')), 'approved', '');
      return true;
    }
    if (instruction.kind === 'approvePlan') {
      const { plan, ordinal, sites } = instruction.body;
      approvals.decidePlan(plan, ordinal, 'approved', sites);
      return true;
    }
    if (shows === undefined) return false;
    approvals.showRoster(shows);
    approvals.approveRoster(shows.fingerprint);
    return true;
  }

  #port(): CoordinatorPort {
    const { cut } = this;
    return new Proxy<CoordinatorPort>(this.#client, {
      get: (client, name: keyof CoordinatorPort) =>
        cut.has(name) ? () => Promise.reject(new CutLine('unreachable', 'the line is cut')) : client[name].bind(client),
    });
  }

  #crypto(): CryptoPool {
    const pool = new CryptoPool({ threads: 0 });
    const shareBlocks = pool.shareBlocks.bind(pool);
    pool.shareBlocks = (task) => {
      if (this.garbles) task.keyShareSum[40]! ^= 1;
      return shareBlocks(task);
    };
    return pool;
  }

  async #open(): Promise<this> {
    const { folder, site } = this;
    const store = KeyStore.open(join(folder, 'keys'), PASSPHRASE);
    const { identity } = openSiteIdentity(store);
    const member = readMembership(folder);
    this.#client = new WireClient(endpointOf(member), readTlsCredential(store));
    this.#recalled = false;
    this.context = {
      consortium: member.consortium,
      site,
      identity,
      operatorKey: hexToBytes(member.operatorKey),
      journal: Journal.open(join(folder, 'journal.sqlite'), { identity, vault: store }),
      policy: await settledPolicy(folder, undefined),
      storage: new SiteStorage(folder, () => undefined),
      store,
      objects: new ObjectCache(join(folder, 'objects')),
      port: this.#port(),
      trainer: new SteadyTrainer(site),
      nonces: new NonceMemory(),
      crypto: this.#crypto(),
      tell: () => undefined,
    };
    forgetEndedRuns(this.context);
    return this;
  }
}

/** A coordinator that is down or starts anew: the next poll tells. */
function isPassing(error: unknown): boolean {
  if (error instanceof Killed) return false;
  return (error as { code?: string }).code === 'unreachable';
}
