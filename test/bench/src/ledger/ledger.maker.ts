import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  NO_NORMALISATION,
  NO_RANGES,
  type Predicate,
  type PredicateName,
  type SumKind,
  epochContext,
  epochZero,
  freezeContext,
  inputContext,
  isOperatorStatement,
  roundContext,
  runId,
  setDigest,
  statementBytes,
} from '@coferment/consortium';
import { PAYLOAD_TYPE, bytesToHex, digest, hash, preAuthenticationEncoding, sha256Hex } from '@coferment/crypto';
import {
  CHECKPOINT_PATH,
  MerkleTree,
  POLICY_PATH,
  TILE_WIDTH,
  encodeBundle,
  encodeEntry,
  encodeVkey,
  leafHash,
  levelCount,
  payloadPath,
  publicKeyFromSeed,
  signCheckpoint,
  tileBytes,
  tilePath,
  tilesOfLevel,
  verifierKey,
} from '@coferment/ledger';

export interface MadeLedger {
  readonly folder: string;
  readonly entries: number;
  readonly vkey: string;
}

const ORIGIN = 'ledger.example/bench';
const CONSORTIUM = 'bench';
const SITES = Array.from({ length: 8 }, (_, index) => `site-${String.fromCodePoint(97 + index)}`);
const HOLDERS = SITES.slice(0, 5);
const NUMBERS = { n: 8, m: 5, tau: 4, c: 2, rho: 6, minContributors: 4 };
const PLAN = digest('bench', 'plan');
/** A long training: a hundred rounds, with an evaluation after every fifth. */
const ROUNDS = 100;
const EVALUATED_EVERY = 5;

/**
 * Writes a ledger of exactly so many entries as an export folder: runs of eight sites one after the other, each act signed for itself by its site or the
 * operator, so that all of it verifies. It is cut where the number is reached, as a checkpoint cuts it, and may end within a round.
 */
export function makeLedger(folder: string, size: number, progress: (entries: number) => void): MadeLedger {
  const writer = new LedgerWriter(folder, size, progress);
  try {
    found(writer);
    for (let ordinal = 1; ; ordinal++) recordRun(writer, ordinal);
  } catch (error) {
    if (!(error instanceof LedgerIsFull)) throw error;
  }
  return { folder, entries: size, vkey: writer.finish() };
}

class LedgerIsFull extends Error {}

class LedgerWriter {
  readonly #tree = new MerkleTree();
  readonly #made = new Set<string>();
  readonly #signers = new Map<string, { key: KeyObject; publicKey: Uint8Array }>();
  #bundle: Uint8Array[] = [];

  constructor(
    private readonly folder: string,
    private readonly size: number,
    private readonly progress: (entries: number) => void,
  ) {}

  publicKeyOf(name: string): string {
    return bytesToHex(this.#signer(name).publicKey);
  }

  /** Signs and appends; returns the digest by which other statements refer to it. @throws LedgerIsFull */
  record<N extends PredicateName>(name: N, predicate: Predicate<N>): string {
    if (Number(this.#tree.size) === this.size) throw new LedgerIsFull();
    const payload = statementBytes(name, predicate);
    const payloadHash = sha256Hex(payload);
    const { key, publicKey } = this.#signer(isOperatorStatement(name) ? 'the operator' : (predicate as { site: string }).site);
    const signature = sign(null, preAuthenticationEncoding(PAYLOAD_TYPE, payload), key);
    const entry = encodeEntry({ payloadHash, signature, publicKey });
    this.#tree.append(leafHash(entry));
    this.#bundle.push(entry);
    this.#write(payloadPath(payloadHash), payload);
    if (this.#bundle.length === TILE_WIDTH) {
      this.#flush();
      this.progress(Number(this.#tree.size));
    }
    return payloadHash;
  }

  /** Returns the log's key. */
  finish(): string {
    this.#flush();
    const tree = this.#tree;
    for (let level = 0; level < levelCount(tree.size); level++) {
      for (const tile of tilesOfLevel(level, tree.size)) this.#write(tilePath(tile), tileBytes(tree, { ...tile, level }));
    }
    const seed = hash('bench', 'log');
    const vkey = encodeVkey(verifierKey('log', ORIGIN, publicKeyFromSeed(seed)));
    this.#write(POLICY_PATH, Buffer.from(`log ${vkey}\nquorum none\n`));
    this.#write(CHECKPOINT_PATH, Buffer.from(signCheckpoint({ origin: ORIGIN, size: tree.size, root: tree.root() }, seed)));
    return vkey;
  }

  #flush(): void {
    if (this.#bundle.length === 0) return;
    const index = (this.#tree.size - 1n) / BigInt(TILE_WIDTH);
    this.#write(tilePath({ level: 'entries', index, width: this.#bundle.length }), encodeBundle(this.#bundle));
    this.#bundle = [];
  }

  #write(path: string, bytes: Uint8Array): void {
    const target = join(this.folder, path);
    const parent = dirname(target);
    if (!this.#made.has(parent)) {
      mkdirSync(parent, { recursive: true });
      this.#made.add(parent);
    }
    writeFileSync(target, bytes);
  }

  #signer(name: string): { key: KeyObject; publicKey: Uint8Array } {
    let signer = this.#signers.get(name);
    if (!signer) {
      const seed = hash('bench', 'identity', name);
      const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
      signer = { key: createPrivateKey({ key: der, type: 'pkcs8', format: 'der' }), publicKey: publicKeyFromSeed(seed) };
      this.#signers.set(name, signer);
    }
    return signer;
  }
}

function found(log: LedgerWriter): void {
  log.record('consortium-founded', {
    consortium: CONSORTIUM,
    origin: ORIGIN,
    operatorKey: log.publicKeyOf('the operator'),
    wireVersion: '1.0',
  });
  for (const site of SITES)
    log.record('site-enrolled', {
      consortium: CONSORTIUM,
      site,
      identityKey: log.publicKeyOf(site),
      certificate: digest('bench', 'certificate', site),
    });
  log.record('plan-published', { consortium: CONSORTIUM, plan: PLAN, name: 'Titre at harvest' });
}

interface Position {
  readonly run: string;
  readonly e: string;
}

function recordRun(log: LedgerWriter, ordinal: number): void {
  const run = runId(PLAN, ordinal);
  for (const site of SITES) log.record('plan-approved', { consortium: CONSORTIUM, site, plan: PLAN, ordinal, sites: SITES });
  log.record('run-opened', { consortium: CONSORTIUM, run, plan: PLAN, ordinal, sites: SITES });
  const at = { run, e: recordEpoch(log, run, ordinal) };
  const model = (round: number) => digest('bench', 'model', run, round);
  let sum = 0;
  for (const site of SITES) recordSum(log, at, { kind: 'confirm', sum: ++sum, round: 0, sites: [site], modelIn: 'none', modelOut: 'none' });
  recordSum(log, at, { kind: 'statistics', sum: ++sum, round: 0, sites: SITES, modelIn: 'none', modelOut: 'none' });
  for (let round = 1; round <= ROUNDS; round++) {
    recordSum(log, at, { kind: 'update', sum: ++sum, round, sites: SITES, modelIn: model(round - 1), modelOut: model(round) });
    if (round % EVALUATED_EVERY !== 0) continue;
    recordSum(log, at, { kind: 'evaluate', sum: ++sum, round, sites: SITES, modelIn: model(round), modelOut: 'none' });
    log.record('evaluation', {
      consortium: CONSORTIUM,
      run,
      round,
      sum,
      model: model(round),
      metric: 'rmse',
      value: 1 / round,
      holdoutCount: 12,
    });
  }
  const contributions = SITES.map((site) => ({ site, updates: ROUNDS }));
  log.record('run-closed', { consortium: CONSORTIUM, run, status: 'completed', rounds: ROUNDS, model: model(ROUNDS), contributions });
  log.record('model-released', { consortium: CONSORTIUM, run, model: model(ROUNDS), parameters: 100_000 });
}

/** Returns E. */
function recordEpoch(log: LedgerWriter, run: string, ordinal: number): string {
  const inEpoch = { consortium: CONSORTIUM, run, epoch: 1 };
  const roster = digest('bench', 'roster', run);
  const e0 = epochZero({ ...inEpoch, ordinal, plan: PLAN, roster });
  const fingerprint = digest('bench', 'fingerprint', run);
  for (const site of SITES) {
    log.record('sealing-key', { ...inEpoch, site, key: digest('bench', 'sealing', run, site).repeat(38) });
    log.record('roster-approved', { ...inEpoch, site, roster, fingerprint, e0 });
  }
  const object = (...what: string[]) => digest('bench', run, ...what);
  const dealings = SITES.map((site) => {
    const commitments = HOLDERS.map((holder) => object('commitment', site, holder));
    const boxes = HOLDERS.map((holder) => ({ holder, object: object('box', site, holder) }));
    return { site, dealing: log.record('dealing', { ...inEpoch, e0, site, commitments, masked: object('masked', site), boxes }) };
  });
  for (const { site: dealer, dealing } of dealings)
    for (const site of HOLDERS) log.record('dealing-ack', { ...inEpoch, e0, dealer, site, dealing });
  const e = epochContext(e0, dealings, []);
  for (const site of SITES) log.record('epoch-agreed', { ...inEpoch, e0, e, site, dealings, leftOut: [] });
  log.record('key-epoch', { ...inEpoch, roster, e0, e, numbers: NUMBERS, keyHolders: HOLDERS, dealings, leftOut: [] });
  return e;
}

interface SumParts {
  readonly kind: SumKind;
  readonly sum: number;
  readonly round: number;
  readonly sites: readonly string[];
  readonly modelIn: string;
  readonly modelOut: string;
}

/** One sum from its uploads to its result: 23 entries where all eight sites are in it. */
function recordSum(log: LedgerWriter, { run, e }: Position, { kind, sum, round, sites, modelIn, modelOut }: SumParts): void {
  const inSum = { consortium: CONSORTIUM, run, e, kind, sum };
  const of = (what: string, site: string) => digest('bench', what, run, sum, site);
  const input = { ranges: NO_RANGES, normalisation: NO_NORMALISATION, weightRule: 'samples' };
  const i = inputContext({ plan: PLAN, kind, modelIn, ...input });
  const nonces = sites.map((site) => ({ site, nonce: of('nonce', site) }));
  const k = roundContext({ e, i, sum, attempt: 1, nonces });
  const counted = sites.map((site) => ({ site, merkleRoot: of('upload', site) }));
  for (const { site, merkleRoot } of counted)
    log.record('contribution', {
      ...inSum,
      k,
      attempt: 1,
      site,
      blocks: 13,
      droppedBits: 100,
      object: of('ciphertext', site),
      merkleRoot,
      ranges: NO_RANGES,
      sampleCommitment: of('samples', site),
      batchCommitment: of('batches', site),
      dataReportCommitment: of('data report', site),
      backend: 'cpu',
    });
  const t = freezeContext(k, counted);
  const excluded = SITES.filter((site) => !sites.includes(site)).map((site) => ({ site, reason: 'late' as const }));
  log.record('round-frozen', { ...inSum, epoch: 1, round, attempt: 1, i, modelIn, ...input, nonces, k, t, counted, excluded });
  const sums = [{ sum, k, t, set: setDigest(sites), modelIn }];
  const certificate = SITES.map((site) => ({
    site,
    attestation: log.record('attestation', { consortium: CONSORTIUM, run, epoch: 1, e, kind, site, sums }),
  }));
  const shares = HOLDERS.map((site) => ({
    site,
    share: log.record('share', { ...inSum, k, t, site, blocks: 13, object: of('share', site), merkleRoot: of('share blocks', site) }),
  }));
  const sumObject = digest('bench', 'sum', run, sum);
  log.record('aggregate', { ...inSum, epoch: 1, round, k, t, sumObject, certificate, shares, modelIn, modelOut });
}
