import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  applySum as applyUpdate,
  describeModel,
  epochZero,
  freezeContext,
  holderPoint,
  initialState,
  inputContext,
  modelDigest,
  NO_RANGES,
  type Plan,
  parsePlan,
  peekStatement,
  planAggregation,
  planBytes,
  planDigest,
  rangesDigest,
  resolveQuorum,
  type Roster,
  rosterBytes,
  rosterDigest,
  rosterFingerprint,
  roundContext,
  runId,
  setDigest,
  signStatement,
  type StrategyState,
  type SumKind,
  vectorShape,
  weightRule,
} from '@coferment/consortium';
import {
  blockCount,
  bytesToHex,
  combine,
  type DsseEnvelope,
  generateIdentity,
  type Identity,
  packVector,
  sha256Hex,
  unpackSum,
} from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import type { CoordinatorPort, OutgoingObject } from '../connection/coordinator.port.js';
import type { FrozenSum, InstructionBody, SumName } from '../connection/instruction.parser.js';
import { ObjectCache } from '../connection/object.cache.js';
import { Journal } from '../journal/journal.js';
import { EpochSecrets } from '../keys/epoch.secrets.js';
import { KeyStore } from '../keys/key.store.js';
import type { BuiltVector, Trainer, VectorJob } from '../training/site.trainer.js';
import { agreeEpoch, checkDealing, dealKey } from './ceremony.handlers.js';
import { encrypt, prepareSum } from './contribution.handlers.js';
import { attest, releaseShare } from './opening.handlers.js';
import { applySum } from './publication.handlers.js';
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
  trained = 0;

  build({ kind, plan, parameters }: VectorJob): Promise<BuiltVector> {
    this.trained += 1;
    const shape = vectorShape(plan, kind);
    const zero = 2 ** (parameters.valueBits - 1);
    const exact = { statistics: [10n], update: [8n, 5n, 100n, 7n], evaluate: [5n, 100n] }[kind];
    // The number of trainings shows in the vector: a second training would give another one.
    const coefficients = packVector(shape, parameters, new Uint32Array(shape.packed).fill(zero + this.trained), exact);
    const vector = { coefficients, samples: 10, salt: new Uint8Array(32).fill(3), backend: 'wasm' as const, saturated: 0 };
    return Promise.resolve({ vector, report: { rows: 10, holdoutRows: 5, trainLoss: 1, saturated: 0 } });
  }
}

/** Everything that sites have sent: acts by name and signer, objects by digest. Can be told to fail. */
export class SharedBoard {
  readonly objects = new Map<string, Uint8Array>();
  readonly acts: { site: string; envelope: DsseEnvelope }[] = [];
  failing = false;

  portOf(site: string): CoordinatorPort {
    const accept = (envelope: DsseEnvelope) => {
      if (this.failing) return Promise.reject(new AgentError('unreachable', 'the line is cut'));
      this.acts.push({ site, envelope });
      return Promise.resolve();
    };
    return {
      poll: () => Promise.reject(new AgentError('unreachable', 'this board is not polled')),
      submitStatement: accept,
      submitNonce: accept,
      submitShare: accept,
      upload: ({ digest, bytes }: OutgoingObject) => {
        if (this.failing) return Promise.reject(new AgentError('unreachable', 'the line is cut'));
        this.objects.set(digest, bytes);
        return Promise.resolve();
      },
      download: (digest) => {
        const bytes = this.objects.get(digest);
        return bytes === undefined ? Promise.reject(new AgentError('object-mismatch', `no object ${digest}`)) : Promise.resolve(bytes);
      },
    };
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
}

/** Three sites on real journals and key stores, and the coordinator's part of the protocol as plain functions. */
export class ScriptedConsortium {
  readonly board = new SharedBoard();
  readonly operator: Identity = generateIdentity();
  readonly members: Member[];
  readonly run: string;
  readonly plan: Plan;
  roster!: Roster;
  e0 = '';
  e = '';
  state: StrategyState | null = null;

  constructor(sites: readonly string[] = ['a', 'b', 'c'], rounds = 2) {
    this.plan = fixturePlan(rounds);
    this.run = runId(planDigest(this.plan), 1);
    this.board.objects.set(planDigest(this.plan), planBytes(this.plan));
    this.members = sites.map((site) => this.#createMember(site));
  }

  member(site: string): Member {
    return this.members.find((candidate) => candidate.site === site)!;
  }

  /** As a new process on the same folder: nothing that was only in memory is left. */
  restart(site: string): Member {
    const old = this.member(site);
    old.journal.close();
    const fresh = this.#openMember(site, old.folder, old.identity, KeyStore.open(join(old.folder, 'keys'), PASSPHRASE));
    this.members[this.members.indexOf(old)] = fresh;
    return fresh;
  }

  /** Straight to an approved roster, with the small test parameters that the real roster check refuses. */
  openEpoch(): void {
    const numbers = resolveQuorum(this.plan, this.members.length);
    const parameters = planAggregation({ sites: numbers.n, keyHolders: numbers.m, threshold: numbers.tau, set: 'INSECURE_TEST_1024' });
    const sites = this.members.map(({ site, identity }) => ({ site, identityKey: bytesToHex(identity.publicKey) }));
    const keyHolders = sites.slice(0, numbers.m).map(({ site }, position) => ({ site, point: holderPoint(position) }));
    const sealingKeys = this.members.map(({ site, identity, store }) => {
      const key = bytesToHex(new EpochSecrets(store, this.run, 1).sealingKey().publicKey);
      return {
        site,
        key,
        envelope: signStatement('sealing-key', { consortium: CONSORTIUM, run: this.run, epoch: 1, site, key }, identity),
      };
    });
    this.roster = { sites, keyHolders, numbers, parameters, leftOut: [], sealingKeys };
    this.board.objects.set(rosterDigest(this.roster), rosterBytes(this.roster));
    const roster = rosterDigest(this.roster);
    const plan = planDigest(this.plan);
    this.e0 = epochZero({ consortium: CONSORTIUM, run: this.run, ordinal: 1, epoch: 1, plan, roster });
    for (const { journal } of this.members) {
      journal.runs.announce(
        this.run,
        plan,
        1,
        sites.map(({ site }) => site),
      );
      journal.runs.setState(this.run, 'approved');
      journal.runs.openEpoch({ run: this.run, epoch: 1, roster, fingerprint: rosterFingerprint(this.roster), e0: this.e0 });
    }
  }

  async ceremony(): Promise<void> {
    for (const member of this.members) await dealKey(member, { run: this.run, epoch: 1 });
    const dealings = this.board.latest('dealing');
    for (const member of this.members) for (const dealing of dealings) await checkDealing(member, { run: this.run, epoch: 1, dealing });
    const acknowledgements = this.board.all('dealing-ack');
    for (const member of this.members) await agreeEpoch(member, { run: this.run, epoch: 1, dealings, acknowledgements });
    this.e = this.member('a').journal.runs.epoch(this.run, 1)!.e!;
  }

  name(kind: SumKind, sum: number, round = 0, attempt = 1): SumName {
    return { run: this.run, epoch: 1, sum, kind, round, attempt };
  }

  noncesOf(name: SumName): { site: string; nonce: string }[] {
    return this.board.latest('nonce').flatMap((envelope) => {
      const { predicate } = peekStatement(envelope) as { predicate: { sum: number; attempt: number; site: string; nonce: string } };
      return predicate.sum === name.sum && predicate.attempt === name.attempt ? [{ site: predicate.site, nonce: predicate.nonce }] : [];
    });
  }

  frozen(name: SumName, sites = this.members.map(({ site }) => site)): FrozenSum {
    const nonces = this.noncesOf(name);
    const contributions = this.board.latest('contribution').filter((envelope) => {
      const { predicate } = peekStatement(envelope) as { predicate: { sum: number; attempt: number; site: string } };
      return predicate.sum === name.sum && predicate.attempt === name.attempt && sites.includes(predicate.site);
    });
    return { name, nonces, contributions };
  }

  /** I, K, T, A as the coordinator knows them. */
  contextOf({ name, nonces, contributions }: FrozenSum) {
    const { plan, state } = this;
    const own = name.kind === 'update' || name.kind === 'evaluate' ? state : null;
    const modelIn = own === null ? 'none' : modelDigest(describeModel(plan), own.model);
    const ranges = name.kind === 'update' && own !== null ? rangesDigest(own.ranges) : NO_RANGES;
    const i = inputContext({
      plan: planDigest(plan),
      kind: name.kind,
      modelIn,
      ranges,
      weightRule: weightRule(plan, own?.weightCap ?? null),
    });
    const k = roundContext({ e: this.e, i, sum: name.sum, attempt: name.attempt, nonces });
    const counted = contributions.map(
      (envelope) => (peekStatement(envelope) as { predicate: { site: string; merkleRoot: string } }).predicate,
    );
    return {
      k,
      t: freezeContext(k, counted),
      set: setDigest(counted.map(({ site }) => site)),
      modelIn,
      sites: counted.map(({ site }) => site),
    };
  }

  /** Nonces and ciphertexts of these sites. */
  async contribute(name: SumName, sites = this.members.map(({ site }) => site)): Promise<FrozenSum> {
    for (const site of sites) await prepareSum(this.member(site), { name });
    const nonces = this.noncesOf(name);
    for (const site of sites) await encrypt(this.member(site), { name, nonces });
    return this.frozen(name, sites);
  }

  async certify(frozen: FrozenSum[]): Promise<DsseEnvelope[]> {
    for (const member of this.members) await attest(member, { sums: frozen });
    return this.board.latest('attestation');
  }

  /** Shares of all holders, the decoded sum, and the instruction with which it is published. */
  async open(frozen: FrozenSum, certificate: DsseEnvelope[]): Promise<InstructionBody<'applySum'>> {
    for (const member of this.members) await releaseShare(member, { frozen, certificate });
    const { name } = frozen;
    const shares = this.board
      .latest('share')
      .filter((envelope) => (peekStatement(envelope) as { predicate: { sum: number } }).predicate.sum === name.sum);
    return { frozen, certificate, shares, aggregate: this.aggregate(frozen, certificate, shares) };
  }

  aggregate(frozen: FrozenSum, certificate: DsseEnvelope[], shares: DsseEnvelope[], modelOutOverride?: string): DsseEnvelope {
    const { name } = frozen;
    const { k, t, modelIn, sites } = this.contextOf(frozen);
    const { parameters } = this.roster;
    const objectOf = (envelope: DsseEnvelope) =>
      this.board.objects.get((peekStatement(envelope) as { predicate: { object: string } }).predicate.object)!;
    const combined = combine({
      parameters,
      sum: frozen.contributions.map(objectOf),
      addends: sites.length,
      shares: new Map(shares.map((envelope, position) => [position, objectOf(envelope)])),
    });
    if (!combined.ok) throw new Error(combined.reason);
    const bytes = new Uint8Array(combined.coefficients.buffer);
    this.board.objects.set(sha256Hex(bytes), bytes);
    this.#advance(name, combined.coefficients, sites.length);
    const modelOut = this.state === null || name.kind === 'confirm' ? 'none' : modelDigest(describeModel(this.plan), this.state.model);
    const digestsOf = (envelopes: DsseEnvelope[], field: string) =>
      envelopes.map((envelope) => {
        const { predicate, digest } = peekStatement(envelope) as { predicate: { site: string }; digest: string };
        return { site: predicate.site, [field]: digest };
      });
    return signStatement(
      'aggregate',
      {
        consortium: CONSORTIUM,
        run: this.run,
        e: this.e,
        kind: name.kind,
        sum: name.sum,
        epoch: 1,
        round: name.round,
        k,
        t,
        sumObject: sha256Hex(bytes),
        certificate: digestsOf(certificate, 'attestation'),
        shares: digestsOf(shares, 'share'),
        modelIn,
        modelOut: modelOutOverride ?? modelOut,
      },
      this.operator,
    );
  }

  /** All confirm sums and the statistics sum: after it training can begin. */
  async toRounds(): Promise<void> {
    this.openEpoch();
    await this.ceremony();
    const confirms: FrozenSum[] = [];
    for (const [index, { site }] of this.members.entries()) confirms.push(await this.contribute(this.name('confirm', index + 1), [site]));
    const certificate = await this.certify(confirms);
    for (const frozen of confirms) await this.publish(await this.open(frozen, certificate));
    await this.wholeSum(this.name('statistics', this.members.length + 1));
  }

  async wholeSum(name: SumName): Promise<void> {
    const frozen = await this.contribute(name);
    await this.publish(await this.open(frozen, await this.certify([frozen])));
  }

  async publish(instruction: InstructionBody<'applySum'>): Promise<void> {
    for (const member of this.members) await applySum(member, instruction);
  }

  close(): void {
    for (const { journal } of this.members) journal.close();
  }

  #advance(name: SumName, coefficients: BigUint64Array, addends: number): void {
    const { plan } = this;
    const { parameters } = this.roster;
    const shape = vectorShape(plan, name.kind);
    if (coefficients.length !== blockCount(shape, parameters) * 1024) throw new Error('length');
    const { packed, exact } = unpackSum(shape, parameters, coefficients, addends);
    if (name.kind === 'statistics') {
      this.state = initialState(plan, { ordinal: 1, siteIds: this.members.map(({ site }) => site), statistics: { exact, addends } });
    }
    if (name.kind === 'update') this.state = applyUpdate(plan, this.state!, { packed, exact, addends, valueBits: parameters.valueBits });
  }

  #createMember(site: string): Member {
    const folder = mkdtempSync(join(tmpdir(), `agent-${site}-`));
    return this.#openMember(site, folder, generateIdentity(), KeyStore.create(join(folder, 'keys'), PASSPHRASE));
  }

  #openMember(site: string, folder: string, identity: Identity, store: KeyStore): Member {
    const events: AgentEvent[] = [];
    return {
      folder,
      consortium: CONSORTIUM,
      site,
      identity,
      operatorKey: this.operator.publicKey,
      journal: Journal.open(join(folder, 'journal.sqlite'), identity),
      store,
      objects: new ObjectCache(join(folder, 'objects')),
      port: this.board.portOf(site),
      trainer: new ConstantTrainer(),
      nonces: new NonceMemory(),
      events,
      tell: (event) => events.push(event),
    };
  }
}
