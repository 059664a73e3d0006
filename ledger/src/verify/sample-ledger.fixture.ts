import {
  type CountedEntry,
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
  signStatement,
} from '@coferment/consortium';
import { type Identity, bytesToHex, digest, hash, identityFromSeed, sha256Hex } from '@coferment/crypto';
import { entryFor } from '../entry/index.js';
import { writeLedger } from '../export/index.js';
import { encodeVkey, publicKeyFromSeed, signCheckpoint, verifierKey } from '../note/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';

export const ORIGIN = 'ledger.example/fermentation-a';
export const CONSORTIUM = 'fermentation-a';
export const SITES = ['alpha', 'bravo', 'charlie', 'delta'];
export const LOG_SEED = hash('fixture', 'log');
export const LOG_KEY = verifierKey('log', ORIGIN, publicKeyFromSeed(LOG_SEED));
export const LOG_VKEY = encodeVkey(LOG_KEY);

const NUMBERS = { n: 4, m: 3, tau: 3, c: 1, rho: 3, minContributors: 3 };
const KEY_HOLDERS = SITES.slice(0, 3);
const PLAN = digest('fixture', 'plan');
export const RUN = runId(PLAN, 1);
const inRun = { consortium: CONSORTIUM, run: RUN };

/** Changes the content of a statement before it is signed: a forger who has every key. */
export type Forgery = <N extends PredicateName>(name: N, predicate: Predicate<N>) => Predicate<N> | undefined;

export interface SampleLedger {
  readonly entries: Uint8Array[];
  readonly payloads: Uint8Array[];
  readonly names: PredicateName[];
}

export const identityOf = (name: string): Identity => identityFromSeed(hash('fixture', 'identity', name));
export const operator = identityOf('the operator');
export const modelAfter = (round: number) => digest('fixture', 'model', round);

/** Signs and adds one statement, whoever may or may not sign it. Returns its digest. */
export function append<N extends PredicateName>(log: SampleLedger, name: N, predicate: Predicate<N>, identity: Identity): string {
  const { payload, entry } = signed(name, predicate, identity);
  log.entries.push(entry);
  log.payloads.push(payload);
  log.names.push(name);
  return sha256Hex(payload);
}

const alreadySigned = new Map<string, { payload: Uint8Array; entry: Uint8Array }>();

/** Samples differ in a few statements only, and Ed25519 gives the same signature again: signing each once keeps the specs fast. */
function signed<N extends PredicateName>(name: N, predicate: Predicate<N>, identity: Identity): { payload: Uint8Array; entry: Uint8Array } {
  const key = `${bytesToHex(identity.publicKey)} ${name} ${JSON.stringify(predicate)}`;
  let known = alreadySigned.get(key);
  if (!known) {
    const envelope = signStatement(name, predicate, identity);
    known = { payload: Buffer.from(envelope.payload, 'base64'), entry: entryFor(envelope, identity.publicKey) };
    alreadySigned.set(key, known);
  }
  return known;
}

class Recorder implements SampleLedger {
  readonly entries: Uint8Array[] = [];
  readonly payloads: Uint8Array[] = [];
  readonly names: PredicateName[] = [];

  constructor(private readonly forge: Forgery) {}

  /** Returns the digest of the statement, as other statements refer to it. */
  record<N extends PredicateName>(name: N, predicate: Predicate<N>): string {
    const forged = this.forge(name, predicate);
    if (!forged) return digest('fixture', 'left out', name);
    return append(this, name, forged, isOperatorStatement(name) ? operator : identityOf((forged as { site: string }).site));
  }
}

/**
 * A whole small run in statements: four sites, three key holders, a statistics sum, `rounds` training rounds, an evaluation.
 * @param renewedIn the round whose sum is frozen in the first key epoch and completed in a second one, without charlie's key shares; 0 for none
 * @param changedIn the round whose sum is frozen over one set and made over another, with the approval of everybody concerned; 0 for none
 * @param notApproved sites after the others in order, that were asked too and are not in the run
 */
export function sampleLedger(
  forge: Forgery = (_, predicate) => predicate,
  rounds = 2,
  renewedIn = 0,
  notApproved: readonly string[] = [],
  changedIn = 0,
): SampleLedger {
  const log = new Recorder(forge);
  log.record('consortium-founded', {
    consortium: CONSORTIUM,
    origin: ORIGIN,
    operatorKey: bytesToHex(operator.publicKey),
    wireVersion: 'v1',
  });
  for (const site of [...SITES, ...notApproved]) {
    const identityKey = bytesToHex(identityOf(site).publicKey);
    log.record('site-enrolled', { consortium: CONSORTIUM, site, identityKey, certificate: digest('fixture', 'certificate', site) });
  }
  log.record('plan-published', { consortium: CONSORTIUM, plan: PLAN, name: 'Titre at harvest' });
  for (const site of SITES)
    log.record('plan-approved', { consortium: CONSORTIUM, site, plan: PLAN, ordinal: 1, sites: [...SITES, ...notApproved] });
  log.record('run-opened', { ...inRun, plan: PLAN, ordinal: 1, sites: SITES });
  let epoch = recordKeyEpoch(log, { epoch: 1, keyHolders: KEY_HOLDERS });
  let sum = 0;
  const confirm = () => {
    for (const site of SITES)
      recordSum(log, { epoch, kind: 'confirm', sum: ++sum, round: 0, sites: [site], modelIn: 'none', modelOut: 'none' });
  };
  confirm();
  recordSum(log, { epoch, kind: 'statistics', sum: ++sum, round: 0, sites: SITES, modelIn: 'none', modelOut: 'none' });
  const counts = new Map(SITES.map((site) => [site, 0]));
  for (let round = 1; round <= rounds; round++) {
    const first = round === 2 ? SITES.slice(0, 3) : SITES;
    const sites = round === changedIn ? ['alpha', 'bravo', 'delta'] : first;
    const update = { kind: 'update' as const, round, sites, modelIn: modelAfter(round - 1), modelOut: modelAfter(round) };
    if (round === renewedIn) {
      recordSum(log, { ...update, epoch, sum: ++sum, isOpened: false });
      epoch = recordKeyEpoch(log, { epoch: 2, keyHolders: ['alpha', 'bravo', 'delta'], replaced: ['charlie'] });
      confirm();
    }
    if (round === changedIn) {
      const t = recordSum(log, { ...update, epoch, sum: ++sum, sites: first, isOpened: false });
      recordChange(log, { e: epoch.e, sum, modelIn: update.modelIn, t, before: first, after: sites });
    }
    recordSum(log, { ...update, epoch, sum: ++sum });
    for (const site of sites) counts.set(site, counts.get(site)! + 1);
  }
  const last = modelAfter(rounds);
  recordSum(log, { epoch, kind: 'evaluate', sum: ++sum, round: rounds, sites: SITES, modelIn: last, modelOut: 'none' });
  log.record('evaluation', { ...inRun, round: rounds, sum, model: last, metric: 'rmse', value: 0.25, holdoutCount: 12 });
  log.record('model-released', { ...inRun, model: last, parameters: 100 });
  const contributions = [...counts].map(([site, updates]) => ({ site, updates }));
  log.record('run-closed', { ...inRun, status: 'completed', rounds, model: last, contributions });
  return log;
}

interface SampleEpoch {
  epoch: number;
  e: string;
  keyHolders: string[];
}

function recordKeyEpoch(
  log: Recorder,
  { epoch, keyHolders, replaced = [] }: { epoch: number; keyHolders: string[]; replaced?: string[] },
): SampleEpoch {
  const roster = digest('fixture', 'roster', epoch);
  const e0 = epochZero({ consortium: CONSORTIUM, run: RUN, ordinal: 1, epoch, plan: PLAN, roster });
  for (const site of SITES) {
    log.record('sealing-key', { ...inRun, epoch, site, key: digest('fixture', 'sealing', site).repeat(38) });
    log.record('roster-approved', { ...inRun, epoch, site, roster, fingerprint: digest('fixture', 'fingerprint'), e0 });
  }
  const dealings = SITES.map((site) => {
    const commitments = keyHolders.map((holder) => digest('fixture', 'commitment', site, holder));
    const boxes = keyHolders.map((holder) => ({ holder, object: digest('fixture', 'box', site, holder) }));
    const masked = digest('fixture', 'masked', site);
    return { site, dealing: log.record('dealing', { ...inRun, epoch, e0, site, commitments, masked, boxes }) };
  });
  for (const { site: dealer, dealing } of dealings) {
    for (const site of keyHolders) log.record('dealing-ack', { ...inRun, epoch, e0, dealer, site, dealing });
  }
  const e = epochContext(e0, dealings, []);
  for (const site of SITES) log.record('epoch-agreed', { ...inRun, epoch, e0, e, site, dealings, leftOut: [] });
  const renewal = epoch === 1 ? {} : { renewal: { reason: 'A holder lied.', leftOut: [], replaced } };
  log.record('key-epoch', { ...inRun, epoch, roster, e0, e, numbers: NUMBERS, keyHolders, dealings, leftOut: [], ...renewal });
  return { epoch, e, keyHolders };
}

interface SumParts {
  epoch: SampleEpoch;
  kind: SumKind;
  sum: number;
  round: number;
  sites: string[];
  modelIn: string;
  modelOut: string;
  isOpened?: boolean;
}

/** Another set for an update, as an honest operator proposes it and everybody concerned approves it. */
function recordChange(
  log: Recorder,
  { t, modelIn, ...rest }: Pick<Predicate<'new-set-proposed'>, 'e' | 'sum' | 'modelIn' | 't' | 'before' | 'after'>,
): void {
  const common = { ...inRun, kind: 'update' as const, ...rest };
  const proposal = log.record('new-set-proposed', { ...common, modelIn, t, approvers: SITES });
  for (const site of SITES) log.record('new-set-approved', { ...common, site, proposal });
}

/** Returns T. */
function recordSum(log: Recorder, { epoch: { epoch, e, keyHolders }, isOpened = true, ...parts }: SumParts): string {
  const { kind, sum, round, sites, modelIn, modelOut } = parts;
  const attempt = 1;
  const weightRule = 'samples';
  const ranges = NO_RANGES;
  const normalisation = NO_NORMALISATION;
  const inSum = { ...inRun, e, kind, sum };
  const i = inputContext({ plan: PLAN, kind, modelIn, ranges, normalisation, weightRule });
  const nonces = sites.map((site) => ({ site, nonce: digest('fixture', 'nonce', site, sum) }));
  const k = roundContext({ e, i, sum, attempt, nonces });
  const counted: CountedEntry[] = sites.map((site) => ({ site, merkleRoot: digest('fixture', 'upload', site, sum) }));
  for (const { site, merkleRoot } of counted) {
    const object = digest('fixture', 'ciphertext', site, sum);
    const committed = (what: string) => digest('fixture', what, site);
    const commitments = {
      sampleCommitment: committed('samples'),
      batchCommitment: committed('batches'),
      dataReportCommitment: committed('data-report'),
    };
    const upload = { k, attempt, site, blocks: 1, droppedBits: 100, object, merkleRoot, ranges, ...commitments, backend: 'cpu' as const };
    log.record('contribution', { ...inSum, ...upload });
  }
  const t = freezeContext(k, counted);
  const excluded = SITES.filter((site) => !sites.includes(site)).map((site) => ({ site, reason: 'late' as const }));
  log.record('round-frozen', {
    ...inSum,
    epoch,
    round,
    attempt,
    i,
    modelIn,
    ranges,
    normalisation,
    weightRule,
    nonces,
    k,
    t,
    counted,
    excluded,
  });
  const set = setDigest(sites);
  const certificate = SITES.slice(0, NUMBERS.rho).map((site) => ({
    site,
    attestation: log.record('attestation', { ...inRun, epoch, e, kind, site, sums: [{ sum, k, t, set, modelIn }] }),
  }));
  if (!isOpened) return t;
  const shares = keyHolders.map((site) => {
    const object = digest('fixture', 'share', site, sum);
    return {
      site,
      share: log.record('share', { ...inSum, k, t, site, blocks: 1, object, merkleRoot: digest('fixture', 'share blocks', site, sum) }),
    };
  });
  const sumObject = digest('fixture', 'sum', sum);
  log.record('aggregate', { ...inSum, epoch, round, k, t, sumObject, certificate, shares, modelIn, modelOut });
  return t;
}

/** The ledger as files, with a checkpoint that the log's key has signed. */
export async function exportSample({ entries, payloads }: SampleLedger): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const root = new MerkleTree(entries.map(leafHash)).root();
  const checkpoint = signCheckpoint({ origin: ORIGIN, size: BigInt(entries.length), root }, LOG_SEED);
  const policy = `log ${LOG_VKEY}\nquorum none\n`;
  await writeLedger((path, bytes) => void files.set(path, bytes), { checkpoint, entries, payloads, policy });
  return files;
}
