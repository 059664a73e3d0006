import {
  applySum,
  confirmVector,
  type CountedEntry,
  encodeExact,
  epochContext,
  epochZero,
  exactNames,
  freezeContext,
  holderPoint,
  initialState,
  inputContext,
  type InputParts,
  isOperatorStatement,
  describeModel,
  modelDigest,
  parsePlan,
  planAggregation,
  planBytes,
  planDigest,
  type Predicate,
  type PredicateName,
  quantiseUpdate,
  type Roster,
  rosterBytes,
  rosterDigest,
  rosterFingerprint,
  roundContext,
  runId,
  setDigest,
  signStatement,
  type StrategyState,
  sumInput,
  type SumKind,
  vectorShape,
} from '@coferment/consortium';
import {
  bytesToHex,
  ciphertextBlockDigests,
  decryptionShare,
  digest,
  encryptVector,
  hash,
  merkleRoot,
  packVector,
  sha256Hex,
  shareBlockDigests,
  sumKeyShares,
  unpackSum,
  xof,
} from '@coferment/crypto';
import {
  append,
  CONSORTIUM,
  exportSample,
  type Forgery,
  identityOf,
  operator,
  ORIGIN,
  type SampleLedger,
} from '../verify/sample-ledger.fixture.js';
import { dealAll, type DealtKeys, remembering, sealingKeyOf } from './dealt-keys.fixture.js';

export const SITES = ['alpha', 'bravo', 'charlie', 'delta'];
const NUMBERS = { n: 4, m: 4, tau: 2, c: 1, rho: 3, minContributors: 3 };
/** Two blocks of the small test ring, the second one cut. */
export const PLAN = parsePlan({
  schema: 1,
  plan: 'recomputed',
  sample: { of: ['ph'], summarise: ['last'] },
  target: { variable: 'product_concentration' },
  normalisation: 'none',
  model: { kind: 'mlp', hidden: [60, 60], activation: 'relu' },
  training: { initialRange: 1 },
  rounds: 2,
});
export const RUN = runId(planDigest(PLAN), 1);
const inRun = { consortium: CONSORTIUM, run: RUN };
export const parameters = planAggregation({ sites: 4, keyHolders: 4, threshold: 2, set: 'INSECURE_TEST_1024' });

/** What a coordinator or a member does otherwise than it should, with every key it takes. */
export interface RealLies {
  /** What all sites are told to start a sum from, other than what follows from the sums before. */
  input?: (sum: number, input: InputParts) => InputParts;
  /** Changes a statement before it is signed; undefined leaves it out. */
  forge?: Forgery;
  /** Key holders that give a share of a sum; by default all. */
  holders?: (sum: number) => readonly string[];
  /** Sites whose key shares a holder adds; by default those that are counted. */
  addedBy?: (holder: string, sum: number, counted: readonly string[]) => readonly string[];
  /** What a site uploads, and signs, instead of its encrypted vector. */
  uploaded?: (sum: number, site: string, bytes: Uint8Array) => Uint8Array;
  /** The model that is said to follow from a training sum, and that everybody goes on from. */
  modelOut?: (sum: number, model: string) => string;
  /** What is published instead of the sum. */
  published?: (sum: number, coefficients: BigUint64Array) => BigUint64Array;
}

export interface RealLedger {
  /** Every file of the export, with objects. */
  files: Map<string, Uint8Array>;
  log: SampleLedger;
  /** The model after each round, from 0. */
  models: string[];
  /** Path of the upload or share of a site, or of a sum. */
  pathOf: (what: 'upload' | 'share' | 'sum', sum: number, site?: string) => string;
}

const keysOf = remembering<DealtKeys>();
const vectorBytes = remembering<Uint8Array>();

/** A run of four sites and two rounds, encrypted and opened for real with the small test ring. `loadCrypto` comes first. */
export async function realLedger(lies: RealLies = {}): Promise<RealLedger> {
  const writer = new RealWriter(lies);
  const { log, objects, paths, models } = writer.write();
  const files = await exportSample(log);
  for (const bytes of objects) files.set(`objects/${sha256Hex(bytes)}`, bytes);
  return { files, log, models, pathOf: (what, sum, site = '') => paths.get(`${what} ${sum} ${site}`)! };
}

interface SumParts {
  kind: SumKind;
  sum: number;
  round: number;
  sites: string[];
}

class RealWriter {
  readonly log: SampleLedger = { entries: [], payloads: [], names: [] };
  readonly objects: Uint8Array[] = [];
  readonly paths = new Map<string, string>();
  readonly models: string[] = [];
  #e = '';
  #e0 = '';
  #state: StrategyState | undefined;

  constructor(private readonly lies: RealLies) {}

  write(): this {
    const operatorKey = bytesToHex(operator.publicKey);
    this.#record('consortium-founded', { consortium: CONSORTIUM, origin: ORIGIN, operatorKey, wireVersion: 'v1' });
    for (const site of SITES) {
      const identityKey = bytesToHex(identityOf(site).publicKey);
      this.#record('site-enrolled', { consortium: CONSORTIUM, site, identityKey, certificate: digest('fixture', 'certificate', site) });
    }
    const plan = this.#store(planBytes(PLAN));
    this.#record('plan-published', { consortium: CONSORTIUM, plan, name: PLAN.plan });
    for (const site of SITES) this.#record('plan-approved', { consortium: CONSORTIUM, site, plan, ordinal: 1, sites: SITES });
    this.#record('run-opened', { ...inRun, plan, ordinal: 1, sites: SITES });
    this.#keyEpoch(plan);
    let sum = 0;
    for (const site of SITES) this.#sum({ kind: 'confirm', sum: ++sum, round: 0, sites: [site] });
    this.#sum({ kind: 'statistics', sum: ++sum, round: 0, sites: SITES });
    for (const round of [1, 2]) this.#sum({ kind: 'update', sum: ++sum, round, sites: round === 2 ? SITES.slice(0, 3) : SITES });
    this.#sum({ kind: 'evaluate', sum: ++sum, round: 2, sites: SITES });
    const model = this.models.at(-1)!;
    this.#record('evaluation', { ...inRun, round: 2, sum, model, metric: 'rmse', value: 2, holdoutCount: 8 });
    const contributions = SITES.map((site) => ({ site, updates: site === 'delta' ? 1 : 2 }));
    this.#record('run-closed', { ...inRun, status: 'completed', rounds: 2, model, contributions });
    return this;
  }

  #record<N extends PredicateName>(name: N, predicate: Predicate<N>): string {
    const forged = this.lies.forge === undefined ? predicate : this.lies.forge(name, predicate);
    if (forged === undefined) return digest('fixture', 'left out', name);
    return append(this.log, name, forged, isOperatorStatement(name) ? operator : identityOf((forged as { site: string }).site));
  }

  #store(bytes: Uint8Array, what = ''): string {
    const name = sha256Hex(bytes);
    this.objects.push(bytes);
    if (what !== '') this.paths.set(what, `objects/${name}`);
    return name;
  }

  #keyEpoch(plan: string): void {
    const epoch = 1;
    const sealing = new Map(SITES.map((site) => [site, sealingKeyOf(site)]));
    const roster: Roster = {
      sites: SITES.map((site) => ({ site, identityKey: bytesToHex(identityOf(site).publicKey) })),
      keyHolders: SITES.map((site, position) => ({ site, point: holderPoint(position) })),
      numbers: NUMBERS,
      parameters,
      leftOut: [],
      sealingKeys: SITES.map((site) => {
        const key = sealing.get(site)!;
        return { site, key, envelope: signStatement('sealing-key', { ...inRun, epoch, site, key }, identityOf(site)) };
      }),
    };
    const digestOfRoster = this.#store(rosterBytes(roster));
    const e0 = epochZero({ consortium: CONSORTIUM, run: RUN, ordinal: 1, epoch, plan, roster: rosterDigest(roster) });
    for (const site of SITES) {
      this.#record('sealing-key', { ...inRun, epoch, site, key: sealing.get(site)! });
      const fingerprint = rosterFingerprint(roster);
      this.#record('roster-approved', { ...inRun, epoch, site, roster: digestOfRoster, fingerprint, e0 });
    }
    // What was dealt stays with the sites: nothing of it is opened again.
    const dealings = SITES.map((site) => {
      const commitments = SITES.map((holder) => digest('fixture', 'commitment', site, holder));
      const boxes = SITES.map((holder) => ({ holder, object: digest('fixture', 'box', site, holder) }));
      const masked = digest('fixture', 'masked', site);
      return { site, dealing: this.#record('dealing', { ...inRun, epoch, e0, site, commitments, masked, boxes }) };
    });
    for (const { site: dealer, dealing } of dealings)
      for (const site of SITES) this.#record('dealing-ack', { ...inRun, epoch, e0, dealer, site, dealing });
    this.#e0 = e0;
    this.#e = epochContext(e0, dealings, []);
    for (const site of SITES) this.#record('epoch-agreed', { ...inRun, epoch, e0, e: this.#e, site, dealings, leftOut: [] });
    const epochFacts = { roster: digestOfRoster, e0, e: this.#e, numbers: NUMBERS, keyHolders: SITES };
    this.#record('key-epoch', { ...inRun, epoch, ...epochFacts, dealings, leftOut: [] });
  }

  #vector(kind: SumKind, site: string): BigUint64Array {
    const shape = vectorShape(PLAN, kind);
    if (kind === 'confirm') {
      const { packed, exact } = confirmVector(this.#e, site, parameters.valueBits);
      return packVector(shape, parameters, packed, exact);
    }
    const known: Record<string, number> = { count: 10, weight: 5, holdoutCount: 2, holdoutSumSquaredError: 8, trainLossSum: 1 };
    const exact = encodeExact(PLAN, kind, Object.fromEntries(exactNames(PLAN, kind).map((field) => [field, known[field] ?? 0])));
    if (kind !== 'update') return packVector(shape, parameters, new Uint32Array(0), exact);
    const { ranges, weightCap } = this.#state!;
    const delta = new Float64Array(shape.packed).fill(0.001);
    const seed = xof('fixture', site, this.models.at(-1)!);
    const { packed } = quantiseUpdate({ plan: PLAN, ranges, delta, weight: 5, weightCap, valueBits: parameters.valueBits, seed });
    return packVector(shape, parameters, packed, exact);
  }

  #sum({ kind, sum, round, sites }: SumParts): void {
    const { lies } = this;
    const { secretKeys, keyShares } = keysOf(this.#e0, () => dealAll(this.#e0, SITES, parameters));
    const attempt = 1;
    const epoch = 1;
    const e = this.#e;
    const inSum = { ...inRun, e, kind, sum };
    const fromModel = kind === 'update' || kind === 'evaluate';
    const honestInput = sumInput(PLAN, kind, fromModel ? this.#state! : null);
    const followed = fromModel ? { ...honestInput, modelIn: this.models.at(-1)! } : honestInput;
    const input = lies.input?.(sum, followed) ?? followed;
    const { modelIn, ranges, normalisation, weightRule } = input;
    const i = inputContext(input);
    const nonces = sites.map((site) => ({ site, nonce: digest('fixture', 'nonce', site, sum) }));
    const k = roundContext({ e, i, sum, attempt, nonces });
    const vectors = sites.map((site) => this.#vector(kind, site));
    const coefficients = vectors[0]!.length;
    const counted: CountedEntry[] = sites.map((site, index) => {
      const encrypted = { parameters, k, secretKey: secretKeys.get(site)!, coefficients: vectors[index]! };
      const honest = vectorBytes(`${k} ${site}`, () => encryptVector(encrypted));
      const bytes = lies.uploaded?.(sum, site, honest) ?? honest;
      const leaves = ciphertextBlockDigests(bytes, coefficients, parameters);
      const object = this.#store(bytes, `upload ${sum} ${site}`);
      const committed = (what: string) => digest('fixture', what, site);
      this.#record('contribution', {
        ...inSum,
        k,
        attempt,
        site,
        blocks: leaves.length,
        droppedBits: parameters.droppedBits,
        object,
        merkleRoot: merkleRoot(leaves),
        ranges,
        sampleCommitment: committed('samples'),
        batchCommitment: committed('batches'),
        dataReportCommitment: committed('data-report'),
        backend: 'cpu',
      });
      return { site, merkleRoot: merkleRoot(leaves) };
    });
    const t = freezeContext(k, counted);
    const excluded = SITES.filter((site) => !sites.includes(site)).map((site) => ({ site, reason: 'late' as const }));
    const frozen = { i, modelIn, ranges, normalisation, weightRule, nonces, k, t, counted, excluded };
    this.#record('round-frozen', { ...inSum, epoch, round, attempt, ...frozen });
    const set = setDigest(sites);
    const certificate = SITES.slice(0, NUMBERS.rho).map((site) => ({
      site,
      attestation: this.#record('attestation', { ...inRun, epoch, e, kind, site, sums: [{ sum, k, t, set, modelIn }] }),
    }));
    const shares = (lies.holders?.(sum) ?? SITES).map((site) => {
      const added = lies.addedBy?.(site, sum, sites) ?? sites;
      const release = {
        parameters,
        k,
        setDigest: set,
        kind,
        holder: site,
        holderIndex: SITES.indexOf(site),
        keyShareSum: sumKeyShares(added.map((dealer) => keyShares.get(site)!.get(dealer)!)),
        noiseKey: hash('fixture', 'noise', site),
        coefficients,
      };
      const bytes = vectorBytes(`${k} ${site} for ${set} of ${added.join()}`, () => decryptionShare(release));
      const leaves = shareBlockDigests(bytes, coefficients, parameters);
      const object = this.#store(bytes, `share ${sum} ${site}`);
      const signed = { blocks: leaves.length, object, merkleRoot: merkleRoot(leaves) };
      return { site, share: this.#record('share', { ...inSum, k, t, site, ...signed }) };
    });
    const opened = vectors[0]!.map((_, index) => vectors.reduce((total, vector) => total + vector[index]!, 0n));
    const published = lies.published?.(sum, opened) ?? opened;
    const sumObject = this.#store(new Uint8Array(published.buffer), `sum ${sum} `);
    this.#apply(kind, sum, published, sites.length);
    const modelOut = kind === 'update' ? this.models.at(-1)! : 'none';
    this.#record('aggregate', { ...inSum, epoch, round, k, t, sumObject, certificate, shares, modelIn, modelOut });
  }

  #apply(kind: SumKind, sum: number, coefficients: BigUint64Array, addends: number): void {
    if (kind !== 'statistics' && kind !== 'update') return;
    const { packed, exact } = unpackSum(vectorShape(PLAN, kind), parameters, coefficients, addends);
    this.#state =
      kind === 'statistics'
        ? initialState(PLAN, { ordinal: 1, siteIds: SITES, statistics: { exact, addends } })
        : applySum(PLAN, this.#state!, { packed, exact, addends, valueBits: parameters.valueBits });
    const model = modelDigest(describeModel(PLAN), this.#state.model);
    this.models.push(this.lies.modelOut?.(sum, model) ?? model);
  }
}
