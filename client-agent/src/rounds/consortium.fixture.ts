import { rmSync } from 'node:fs';
import {
  applySum as applyUpdate,
  describeModel,
  epochSites,
  epochZero,
  firstSumOf,
  freezeContext,
  holderPoint,
  initialState,
  inputContext,
  modelDigest,
  type Plan,
  peekStatement,
  planAggregation,
  planBytes,
  planDigest,
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
  sumInput,
} from '@coferment/consortium';
import {
  bytesToHex,
  ciphertextBlockDigests,
  coefficientCount,
  combine,
  type DsseEnvelope,
  generateIdentity,
  type Identity,
  sha256Hex,
  shareBlockDigests,
  unpackSum,
} from '@coferment/crypto';
import type { FrozenSum, InstructionBody, SumName } from '../connection/instruction.parser.js';
import { EpochSecrets } from '../keys/epoch.secrets.js';
import { agreeEpoch, checkDealing, dealKey } from './ceremony.handlers.js';
import { encrypt, prepareSum } from './contribution.handlers.js';
import { attest, releaseShare } from './opening.handlers.js';
import { CONSORTIUM, createMember, fixturePlan, type Member, removeMember, reopenMember, SharedBoard } from './members.fixture.js';
import { applySum } from './publication.handlers.js';

export interface EpochChange {
  epoch?: number;
  leftOut?: string[];
  /** In order; by default the first m sites. */
  holders?: string[];
  firstSum?: number;
}

/** Three sites on real journals and key stores, and the coordinator's part of the protocol as plain functions. */
export class ScriptedConsortium {
  readonly board = new SharedBoard();
  readonly operator: Identity = generateIdentity();
  readonly members: Member[];
  readonly run: string;
  readonly plan: Plan;
  epoch = 1;
  roster!: Roster;
  e0 = '';
  e = '';
  state: StrategyState | null = null;
  /** Where its members began: a test may have put one on a copy since. */
  readonly #folders: readonly string[];

  constructor(sites: readonly string[] = ['a', 'b', 'c'], rounds = 2) {
    this.plan = fixturePlan(rounds);
    this.run = runId(planDigest(this.plan), 1);
    this.board.objects.set(planDigest(this.plan), planBytes(this.plan));
    this.members = sites.map((site) => createMember(site, this.board, this.operator.publicKey));
    this.#folders = this.members.map(({ folder }) => folder);
  }

  member(site: string): Member {
    return this.members.find((candidate) => candidate.site === site)!;
  }

  restart(site: string): Member {
    const old = this.member(site);
    const fresh = reopenMember(old, this.board);
    this.members[this.members.indexOf(old)] = fresh;
    return fresh;
  }

  /** Straight to an approved roster, with the small test parameters that the real roster check refuses. */
  openEpoch(ordinal = 1, { epoch = 1, leftOut = [], holders, firstSum = 1 }: EpochChange = {}): void {
    this.epoch = epoch;
    const { run } = this;
    const first = resolveQuorum(this.plan, this.members.length);
    const holding = holders ?? this.members.slice(0, first.m).map(({ site }) => site);
    const numbers = { ...first, m: holding.length };
    const parameters = planAggregation({ sites: numbers.n, keyHolders: numbers.m, threshold: numbers.tau, set: 'INSECURE_TEST_1024' });
    const sites = this.members.map(({ site, identity }) => ({ site, identityKey: bytesToHex(identity.publicKey) }));
    const keyHolders = holding.map((site, position) => ({ site, point: holderPoint(position) }));
    const dealers = this.members.filter(({ site }) => !leftOut.includes(site));
    const sealingKeys = dealers.map(({ site, identity, store }) => {
      const key = bytesToHex(new EpochSecrets(store, run, epoch).drawSealingKey().publicKey);
      return {
        site,
        key,
        envelope: signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch, site, key }, identity),
      };
    });
    this.roster = { sites, keyHolders, numbers, parameters, leftOut, sealingKeys, ...(firstSum === 1 ? {} : { firstSum }) };
    this.board.digestsOf = (object) => this.#blockDigests(object);
    this.board.objects.set(rosterDigest(this.roster), rosterBytes(this.roster));
    const roster = rosterDigest(this.roster);
    const plan = planDigest(this.plan);
    this.e0 = epochZero({ consortium: CONSORTIUM, run: this.run, ordinal, epoch, plan, roster });
    for (const { journal } of this.members) {
      journal.runs.announce(
        this.run,
        plan,
        ordinal,
        sites.map(({ site }) => site),
      );
      journal.runs.setState(this.run, 'approved');
      journal.runs.openEpoch({ run, epoch, roster, fingerprint: rosterFingerprint(this.roster), e0: this.e0 });
    }
  }

  async ceremony(): Promise<void> {
    await this.deal();
    const agreement = this.agreement();
    for (const member of this.members) await agreeEpoch(member, agreement);
    this.e = this.member('a').journal.runs.epoch(this.run, this.epoch)!.e!;
  }

  /** Dealings and their acknowledgements. */
  async deal(): Promise<void> {
    const { run, epoch } = this;
    for (const site of epochSites(this.roster)) await dealKey(this.member(site), { run, epoch });
    for (const holder of this.roster.keyHolders) {
      for (const dealing of this.agreement().dealings) await checkDealing(this.member(holder.site), { run, epoch, dealing });
    }
  }

  /** What E is made of, as it stands on the board. */
  agreement(): InstructionBody<'agreeEpoch'> {
    const { run, epoch } = this;
    const ofEpoch = (envelope: DsseEnvelope) => (peekStatement(envelope) as { predicate: { epoch: number } }).predicate.epoch === epoch;
    const acknowledgements = this.board.all('dealing-ack').filter(ofEpoch);
    return { run, epoch, dealings: this.board.latest('dealing').filter(ofEpoch), acknowledgements };
  }

  /** A new key epoch, agreed and confirmed. */
  async renew(change: EpochChange & { epoch: number; firstSum: number }): Promise<void> {
    this.openEpoch(1, change);
    await this.ceremony();
    await this.confirm();
  }

  name(kind: SumKind, sum: number, round = 0, attempt = 1): SumName {
    return { run: this.run, epoch: this.epoch, sum, kind, round, attempt };
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
    return { name, nonces, contributions, newSet: [] };
  }

  /** I, K, T, A as the coordinator knows them. */
  contextOf({ name, nonces, contributions }: FrozenSum) {
    const { plan, state } = this;
    const own = name.kind === 'update' || name.kind === 'evaluate' ? state : null;
    const input = sumInput(plan, name.kind, own);
    const { modelIn } = input;
    const i = inputContext(input);
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
    const { sum } = frozen[0]!.name;
    return this.board.latest('attestation').filter((envelope) => {
      const { predicate } = peekStatement(envelope) as { predicate: { sums: { sum: number }[] } };
      return predicate.sums.some((entry) => entry.sum === sum);
    });
  }

  /** Shares of all holders, the decoded sum, and the instruction with which it is published. */
  async open(frozen: FrozenSum, certificate: DsseEnvelope[]): Promise<InstructionBody<'applySum'>> {
    for (const { site } of this.roster.keyHolders) await releaseShare(this.member(site), { frozen, certificate });
    const { name } = frozen;
    const shares = this.board
      .latest('share')
      .filter((envelope) => (peekStatement(envelope) as { predicate: { sum: number } }).predicate.sum === name.sum);
    return { frozen, certificate, shares, aggregate: this.aggregate(frozen, certificate, shares) };
  }

  aggregate(frozen: FrozenSum, certificate: DsseEnvelope[], shares: DsseEnvelope[]): DsseEnvelope {
    const { name } = frozen;
    const { k, t, modelIn, sites } = this.contextOf(frozen);
    const { parameters } = this.roster;
    const objectOf = (envelope: DsseEnvelope) =>
      this.board.objects.get((peekStatement(envelope) as { predicate: { object: string } }).predicate.object)!;
    const combined = combine({
      parameters,
      sum: frozen.contributions.map(objectOf),
      coefficients: coefficientCount(vectorShape(this.plan, name.kind), parameters),
      addends: sites.length,
      shares: new Map(shares.map((envelope) => [this.#positionOf(envelope), objectOf(envelope)])),
    });
    if (!combined.ok) throw new Error(combined.reason);
    const bytes = new Uint8Array(combined.coefficients.buffer);
    this.board.objects.set(sha256Hex(bytes), bytes);
    this.#advance(name, combined.coefficients, sites.length);
    const modelOut = this.state === null || name.kind === 'confirm' ? 'none' : modelDigest(describeModel(this.plan), this.state.model);
    const signed = (envelope: DsseEnvelope) => peekStatement(envelope) as { predicate: { site: string }; digest: string };
    return signStatement(
      'aggregate',
      {
        consortium: CONSORTIUM,
        run: this.run,
        e: this.e,
        kind: name.kind,
        sum: name.sum,
        epoch: name.epoch,
        round: name.round,
        k,
        t,
        sumObject: sha256Hex(bytes),
        certificate: certificate.map(signed).map(({ predicate, digest }) => ({ site: predicate.site, attestation: digest })),
        shares: shares.map(signed).map(({ predicate, digest }) => ({ site: predicate.site, share: digest })),
        modelIn,
        modelOut,
      },
      this.operator,
    );
  }

  /** All confirm sums and the statistics sum: after it training can begin. */
  async toRounds(): Promise<void> {
    this.openEpoch();
    await this.ceremony();
    await this.confirm();
    await this.wholeSum(this.name('statistics', this.members.length + 1));
  }

  async confirm(): Promise<void> {
    const confirms: FrozenSum[] = [];
    for (const [index, site] of epochSites(this.roster).entries())
      confirms.push(await this.contribute(this.name('confirm', firstSumOf(this.roster) + index), [site]));
    const certificate = await this.certify(confirms);
    for (const frozen of confirms) await this.publish(await this.open(frozen, certificate));
  }

  async wholeSum(name: SumName): Promise<void> {
    const frozen = await this.contribute(name);
    await this.publish(await this.open(frozen, await this.certify([frozen])));
  }

  async publish(instruction: InstructionBody<'applySum'>): Promise<void> {
    for (const member of this.members) await applySum(member, instruction);
  }

  close(): void {
    this.members.forEach(removeMember);
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }

  #positionOf(share: DsseEnvelope): number {
    const { predicate } = peekStatement(share) as { predicate: { site: string } };
    return this.roster.keyHolders.findIndex(({ site }) => site === predicate.site);
  }

  #blockDigests(object: string): Uint8Array[] {
    for (const { envelope } of this.board.acts) {
      const { name, predicate } = peekStatement(envelope);
      if ((name !== 'contribution' && name !== 'share') || predicate.object !== object) continue;
      const { parameters } = this.roster;
      const coefficients = coefficientCount(vectorShape(this.plan, predicate.kind), parameters);
      const digests = name === 'contribution' ? ciphertextBlockDigests : shareBlockDigests;
      return digests(this.board.objects.get(object)!, coefficients, parameters);
    }
    return [];
  }

  #advance(name: SumName, coefficients: BigUint64Array, addends: number): void {
    const { plan } = this;
    const { parameters } = this.roster;
    const shape = vectorShape(plan, name.kind);
    if (coefficients.length !== coefficientCount(shape, parameters)) throw new Error('length');
    const { packed, exact } = unpackSum(shape, parameters, coefficients, addends);
    if (name.kind === 'statistics') {
      this.state = initialState(plan, { ordinal: 1, siteIds: this.members.map(({ site }) => site), statistics: { exact, addends } });
    }
    if (name.kind === 'update') this.state = applyUpdate(plan, this.state!, { packed, exact, addends, valueBits: parameters.valueBits });
  }
}
