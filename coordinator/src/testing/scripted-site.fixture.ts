import { webcrypto } from 'node:crypto';
import {
  type Plan,
  type Predicate,
  type PredicateName,
  type Roster,
  type StrategyState,
  applySum,
  checkEpoch,
  confirmVector,
  encodeExact,
  epochZero,
  exactNames,
  inputContext,
  initialState,
  parsePlan,
  parseRoster,
  parseStatement,
  quantiseUpdate,
  rosterFingerprint,
  roundContext,
  setDigest,
  freezeContext,
  signStatement,
  vectorShape,
  sumInput,
} from '@coferment/consortium';
import {
  type Identity,
  CryptoError,
  blockCount,
  bytesToHex,
  checkDealing,
  ciphertextBlockDigests,
  coefficientCount,
  deal,
  decryptionShare,
  encryptVector,
  generateIdentity,
  generateSealingKey,
  hexToBytes,
  merkleRoot,
  openDealingShare,
  packVector,
  sealedDealingShare,
  sha256Hex,
  shareBlockDigests,
  sumKeyShares,
  unpackSum,
  xof,
} from '@coferment/crypto';
import { type ApplySum, type ApproveNewSet, type FrozenSum, type Instruction, ObjectPurpose, type SumName } from '@coferment/proto';
import { fromWire } from '../agent-port/envelope.codec.js';
import { CoordinatorError } from '../errors/index.js';
import { type SiteCalls, joinConsortium } from './site-calls.fixture.js';

/** How a scripted site misbehaves; by default not at all. */
export interface Faults {
  /** Deals this holder a share that does not lie on its polynomial. */
  wrongShareFor?: string;
  /** Refuses this site's dealing, good as it is. */
  refusesDealingOf?: string;
  /** Gives noise as its decryption share of sums of this kind. */
  garbles?: string;
  /** Which instructions about sums it leaves undone, as one that is too slow. */
  leavesUndone?: (step: string, sum: SumName) => boolean;
  /** Instructions that it does not carry out for now. */
  ignores?: readonly NonNullable<Instruction['kind']>['$case'][];
  /** Nobody there decides about another set. */
  decidesNothing?: boolean;
  /** Has no data for sums of this kind. */
  hasNoDataFor?: string;
}

/** An honest site reduced to what the coordinator sees of it: it signs, encrypts and opens for real, and trains on nothing. */
export class ScriptedSite {
  epoch = 1;
  sealing = generateSealingKey();
  noiseKey = webcrypto.getRandomValues(new Uint8Array(32));
  readonly nonces = new Map<string, string>();
  plan!: Plan;
  planDigest = '';
  ordinal = 0;
  sites: string[] = [];
  roster!: Roster;
  e0 = '';
  e = '';
  secretKey = new Uint8Array();
  readonly keyShares = new Map<string, Uint8Array>();
  state: StrategyState | undefined;
  appliedSum = 0;
  closed = false;
  run = '';
  faults: Faults = {};
  /** The one vector for each kind and model, as a site stores it. */
  readonly vectors = new Map<string, BigUint64Array>();

  private constructor(
    readonly site: string,
    readonly consortium: string,
    readonly identity: Identity,
    public calls: SiteCalls,
  ) {}

  static async join(inviteFile: string, identity = generateIdentity()): Promise<ScriptedSite> {
    const { invite, calls } = await joinConsortium(inviteFile, identity);
    return new ScriptedSite(invite.site, invite.consortium, identity, calls);
  }

  get member() {
    return { site: this.site, identityKey: bytesToHex(this.identity.publicKey) };
  }

  /** Polls once and does everything that is owed. Returns the kinds of instructions. */
  async work(): Promise<string[]> {
    const { instructions } = await this.calls.poll(this.run === '' ? [] : [this.position], '', 0);
    for (const { kind } of instructions) {
      if (kind === undefined || this.leavesUndone(kind) || this.faults.ignores?.includes(kind.$case) === true) continue;
      try {
        await this.follow(kind);
      } catch (error) {
        // The run has gone past this in the meantime, or stopped.
        if (!(error instanceof CoordinatorError && error.code === 'not-owed')) throw error;
      }
    }
    return instructions.map(({ kind }) => kind?.$case ?? '');
  }

  private leavesUndone(kind: NonNullable<Instruction['kind']>): boolean {
    const sum = sumOf(kind);
    return sum !== undefined && this.faults.leavesUndone?.(kind.$case, sum) === true;
  }

  sign<N extends PredicateName>(name: N, predicate: Predicate<N>) {
    return signStatement(name, predicate, this.identity);
  }

  submit<N extends PredicateName>(name: N, predicate: Predicate<N>): Promise<string> {
    return this.calls.submit(this.sign(name, predicate), name);
  }

  async follow(kind: NonNullable<Instruction['kind']>): Promise<void> {
    const { site, consortium } = this;
    switch (kind.$case) {
      case 'approvePlan': {
        const { run, plan, ordinal, sites } = kind.approvePlan;
        Object.assign(this, { run, planDigest: plan, ordinal, sites });
        this.plan = parsePlan(JSON.parse((await this.calls.download(plan)).toString('utf8')));
        await this.submit('plan-approved', { consortium, site, plan, ordinal, sites });
        return;
      }
      case 'offerSealingKey':
        this.enter(kind.offerSealingKey.epoch);
        await this.submit('sealing-key', { ...this.inEpoch, site, key: bytesToHex(this.sealing.publicKey) });
        return;
      case 'approveRoster': {
        const { roster, epoch } = kind.approveRoster;
        this.enter(epoch);
        this.roster = parseRoster(await this.calls.download(roster));
        this.e0 = epochZero({ consortium, run: this.run, ordinal: this.ordinal, epoch, plan: this.planDigest, roster });
        await this.submit('roster-approved', { ...this.inEpoch, site, roster, fingerprint: rosterFingerprint(this.roster), e0: this.e0 });
        return;
      }
      case 'deal':
        return this.deal();
      case 'checkDealing':
        return this.check(kind.checkDealing.dealing!);
      case 'agreeEpoch': {
        const dealings = kind.agreeEpoch.dealings.map(fromWire);
        const acknowledgements = kind.agreeEpoch.acknowledgements.map(fromWire);
        const agreed = checkEpoch({ roster: this.roster, position: { ...this.inEpoch, e0: this.e0 }, dealings, acknowledgements });
        this.e = agreed.e;
        const { leftOut } = this.roster;
        if (leftOut.includes(site)) return;
        await this.submit('epoch-agreed', { ...this.inEpoch, e0: this.e0, e: agreed.e, site, dealings: agreed.dealings, leftOut });
        return;
      }
      case 'prepareSum': {
        const name = kind.prepareSum.name!;
        if (name.kind === this.faults.hasNoDataFor) {
          await this.submit('attempt-declined', { ...this.inSum(name), attempt: name.attempt, site, reason: 'no-data' });
          return;
        }
        await this.calls.submit(this.nonce(name), 'nonce');
        return;
      }
      case 'encrypt':
        return this.encrypt(kind.encrypt.name!, kind.encrypt.nonces);
      case 'attest': {
        const { epoch, kind: sumKind } = kind.attest.sums[0]!.name!;
        const sums = kind.attest.sums.map((frozen) => {
          const { k, t, counted, modelIn } = this.rebuild(frozen);
          return { sum: frozen.name!.sum, k, t, set: setDigest(counted), modelIn };
        });
        await this.submit('attestation', { ...this.inEpoch, epoch, e: this.e, kind: sumKind as 'update', site, sums });
        return;
      }
      case 'releaseShare':
        return this.release(kind.releaseShare.frozen!);
      case 'applySum':
        return this.apply(kind.applySum);
      case 'closeRun':
        this.closed = true;
        return;
      case 'approveNewSet':
        return this.approveNewSet(kind.approveNewSet.proposal!);
    }
  }

  /** Somebody at the site approves what is proposed, unless it is to be waited for. */
  private async approveNewSet(envelope: NonNullable<ApproveNewSet['proposal']>): Promise<void> {
    if (this.faults.decidesNothing === true) return;
    const { predicate, digest } = parseStatement(envelope.payload) as { predicate: Predicate<'new-set-proposed'>; digest: string };
    const { e, kind, sum, before, after } = predicate;
    await this.submit('new-set-approved', {
      consortium: this.consortium,
      run: this.run,
      e,
      kind,
      sum,
      site: this.site,
      proposal: digest,
      before,
      after,
    });
  }

  /** The same nonce for the same attempt, as long as this process lives. */
  nonce(name: SumName) {
    const key = `${name.sum}/${name.attempt}`;
    const nonce = this.nonces.get(key) ?? bytesToHex(webcrypto.getRandomValues(new Uint8Array(32)));
    this.nonces.set(key, nonce);
    const { i } = this.context(name);
    return this.sign('nonce', { ...this.inSum(name), i, attempt: name.attempt, site: this.site, nonce });
  }

  get inEpoch() {
    return { consortium: this.consortium, run: this.run, epoch: this.epoch };
  }

  get position() {
    return { run: this.run, appliedSum: this.appliedSum, epoch: this.e === '' ? 0 : this.epoch };
  }

  /** A key epoch begins: nothing of the one before is of use in it. */
  private enter(epoch: number): void {
    if (this.epoch === epoch) return;
    Object.assign(this, { epoch, e0: '', e: '', secretKey: new Uint8Array() });
    this.sealing = generateSealingKey();
    this.noiseKey = webcrypto.getRandomValues(new Uint8Array(32));
    this.keyShares.clear();
  }

  inSum({ kind, sum }: SumName) {
    return { consortium: this.consortium, run: this.run, e: this.e, kind: kind as 'update', sum };
  }

  context(name: SumName) {
    const from = name.kind === 'update' || name.kind === 'evaluate' ? this.state : undefined;
    const input = sumInput(this.plan, name.kind as 'update', from ?? null);
    return { ...input, i: inputContext(input) };
  }

  private async deal(): Promise<void> {
    const { e0, site, roster } = this;
    const dealing = deal({ e0, dealer: site, parameters: roster.parameters });
    this.secretKey = Uint8Array.from(dealing.secretKey);
    const masked = await this.calls.upload(dealing.masked, ObjectPurpose.OBJECT_PURPOSE_DEALING_MASKED, this.run);
    const boxes: { holder: string; object: string }[] = [];
    for (const [index, { site: holder }] of roster.keyHolders.entries()) {
      const to = hexToBytes(roster.sealingKeys.find((entry) => entry.site === holder)!.key);
      if (holder === this.faults.wrongShareFor) dealing.privateShares[index]![40]! ^= 1;
      const sealed = sealedDealingShare({ e0, dealer: site, holder }, dealing.privateShares[index]!, to, this.sealing);
      boxes.push({ holder, object: await this.calls.upload(sealed, ObjectPurpose.OBJECT_PURPOSE_DEALING_BOX, this.run) });
    }
    await this.submit('dealing', { ...this.inEpoch, e0, site, commitments: dealing.commitments, masked, boxes });
  }

  private async check(envelope: Parameters<typeof fromWire>[0]): Promise<void> {
    const { e0, site, roster } = this;
    const { predicate, digest } = parseStatement(envelope!.payload) as { predicate: Predicate<'dealing'>; digest: string };
    const dealer = predicate.site;
    const from = hexToBytes(roster.sealingKeys.find((entry) => entry.site === dealer)!.key);
    const sealed = await this.calls.download(predicate.boxes.find((box) => box.holder === site)!['object']!);
    const privateShare = openDealingShare({ e0, dealer, holder: site }, sealed, from, this.sealing);
    const holderIndex = roster.keyHolders.findIndex((holder) => holder.site === site);
    const masked = await this.calls.download(predicate.masked);
    const { commitments } = predicate;
    const verdict = { ...this.inEpoch, e0, dealer, site, dealing: digest };
    try {
      if (dealer === this.faults.refusesDealingOf) throw new CryptoError('dealing-refused', 'I do not like it');
      const share = checkDealing({ e0, dealer, holderIndex, parameters: roster.parameters, commitments, masked, privateShare });
      this.keyShares.set(dealer, share);
    } catch (error) {
      await this.submit('dealing-refused', { ...verdict, reason: (error as CryptoError).message });
      return;
    }
    await this.submit('dealing-ack', verdict);
  }

  private vector(name: SumName): BigUint64Array {
    if (name.kind === 'confirm') return this.newVector(name);
    const key = `${name.kind} ${this.context(name).modelIn}`;
    const vector = this.vectors.get(key) ?? this.newVector(name);
    this.vectors.set(key, vector);
    return vector;
  }

  private newVector(name: SumName): BigUint64Array {
    const { parameters } = this.roster;
    const kind = name.kind as 'update';
    const shape = vectorShape(this.plan, kind);
    if (name.kind === 'confirm') {
      const { packed, exact } = confirmVector(this.e, this.site, parameters.valueBits);
      return packVector(shape, parameters, packed, exact);
    }
    const known: Record<string, number> = { count: 10, weight: 5, holdoutCount: 2, holdoutSumSquaredError: 8, trainLossSum: 1 };
    const exact = encodeExact(this.plan, kind, Object.fromEntries(exactNames(this.plan, kind).map((field) => [field, known[field] ?? 0])));
    if (name.kind !== 'update') return packVector(shape, parameters, new Uint32Array(0), exact);
    const { ranges, weightCap } = this.state!;
    const delta = new Float64Array(shape.packed).fill(0.001);
    const seed = xof('scripted', this.site, this.context(name).modelIn);
    const { packed } = quantiseUpdate({ plan: this.plan, ranges, delta, weight: 5, weightCap, valueBits: parameters.valueBits, seed });
    return packVector(shape, parameters, packed, exact);
  }

  contribution(name: SumName, nonces: { site: string; nonce: string }[]) {
    const { parameters } = this.roster;
    const { i, ranges } = this.context(name);
    const k = roundContext({ e: this.e, i, sum: name.sum, attempt: name.attempt, nonces });
    const coefficients = this.vector(name);
    const bytes = encryptVector({ parameters, k, secretKey: this.secretKey, coefficients });
    const digests = ciphertextBlockDigests(bytes, coefficients.length, parameters);
    const predicate: Predicate<'contribution'> = {
      ...this.inSum(name),
      k,
      attempt: name.attempt,
      site: this.site,
      blocks: digests.length,
      droppedBits: parameters.droppedBits,
      object: sha256Hex(bytes),
      merkleRoot: merkleRoot(digests),
      ranges,
      sampleCommitment: sha256Hex(new Uint8Array(1)),
      batchCommitment: sha256Hex(new Uint8Array(2)),
      dataReportCommitment: sha256Hex(new Uint8Array(3)),
      backend: 'none',
    };
    return { bytes, predicate };
  }

  private async encrypt(name: SumName, nonces: { site: string; nonce: string }[]): Promise<void> {
    const { bytes, predicate } = this.contribution(name, nonces);
    await this.calls.upload(bytes, ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, this.run);
    await this.submit('contribution', predicate);
  }

  rebuild({ name, nonces, contributions }: FrozenSum) {
    const { i, modelIn } = this.context(name!);
    const k = roundContext({ e: this.e, i, sum: name!.sum, attempt: name!.attempt, nonces });
    const predicates = contributions.map(({ payload }) => parseStatement(payload).predicate as Predicate<'contribution'>);
    const t = freezeContext(
      k,
      predicates.map(({ site, merkleRoot: root }) => ({ site, merkleRoot: root })),
    );
    return { k, t, modelIn, counted: predicates.map(({ site }) => site) };
  }

  private async release(frozen: FrozenSum): Promise<void> {
    const { parameters, keyHolders } = this.roster;
    const name = frozen.name!;
    const { k, t, counted } = this.rebuild(frozen);
    const shape = vectorShape(this.plan, name.kind as 'update');
    const coefficients = coefficientCount(shape, parameters);
    const opened = name.kind === this.faults.garbles ? [...counted, ...counted.slice(0, 1)] : counted;
    const bytes = decryptionShare({
      parameters,
      k,
      setDigest: setDigest(counted),
      kind: name.kind,
      holder: this.site,
      holderIndex: keyHolders.findIndex((holder) => holder.site === this.site),
      keyShareSum: sumKeyShares(opened.map((site) => this.keyShares.get(site)!)),
      noiseKey: this.noiseKey,
      coefficients,
    });
    const object = await this.calls.upload(bytes, ObjectPurpose.OBJECT_PURPOSE_DECRYPTION_SHARE, this.run);
    const blocks = blockCount(shape, parameters);
    const root = merkleRoot(shareBlockDigests(bytes, coefficients, parameters));
    await this.submit('share', { ...this.inSum(name), k, t, site: this.site, blocks, object, merkleRoot: root });
  }

  private async apply({ frozen, aggregate }: ApplySum): Promise<void> {
    const name = frozen!.name!;
    const { parameters } = this.roster;
    const { predicate } = parseStatement(aggregate!.payload) as { predicate: Predicate<'aggregate'> };
    const bytes = await this.calls.download(predicate.sumObject);
    const words = BigUint64Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readBigUInt64LE(index * 8));
    const addends = frozen!.contributions.length;
    const { packed, exact } = unpackSum(vectorShape(this.plan, name.kind as 'update'), parameters, words, addends);
    if (name.kind === 'statistics')
      this.state = initialState(this.plan, {
        ordinal: this.ordinal,
        siteIds: this.roster.sites.map((member) => member.site),
        statistics: { exact, addends },
      });
    if (name.kind === 'update') this.state = applySum(this.plan, this.state!, { packed, exact, addends, valueBits: parameters.valueBits });
    this.appliedSum = name.sum;
  }
}

/** The sum that a site is asked to do something for. */
function sumOf(kind: NonNullable<Instruction['kind']>): SumName | undefined {
  if (kind.$case === 'prepareSum') return kind.prepareSum.name;
  if (kind.$case === 'encrypt') return kind.encrypt.name;
  if (kind.$case === 'attest') return kind.attest.sums[0]?.name;
  return kind.$case === 'releaseShare' ? kind.releaseShare.frozen?.name : undefined;
}
