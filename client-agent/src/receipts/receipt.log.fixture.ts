import {
  commitmentOf,
  freezeContext,
  NO_NORMALISATION,
  NO_RANGES,
  type Predicate,
  type PredicateName,
  runId,
  signStatement,
} from '@coferment/consortium';
import { bytesToHex, type DsseEnvelope, generateIdentity, hash, type Identity, sha256Hex } from '@coferment/crypto';
import {
  appendSignatures,
  cosign,
  encodeVkey,
  entryFor,
  leafHash,
  MerkleTree,
  publicKeyFromSeed,
  signCheckpoint,
  verifierKey,
  witnessName,
} from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import type { CoordinatorPort, LoggedEntry, LoggedProof } from '../connection/coordinator.port.js';
import { openingsOf } from '../journal/stored.vector.js';
import { CONSORTIUM, createMember, type Member, SharedBoard } from '../rounds/members.fixture.js';

const ORIGIN = 'ledger.example/acme';
const LOG_SEED = hash('fixture', 'receipt log');
export const RECEIPT_LOG_VKEY = encodeVkey(verifierKey('log', ORIGIN, publicKeyFromSeed(LOG_SEED)));
const witnessSeed = (site: string) => hash('fixture', 'receipt witness', site);

const D = (digit: string) => digit.repeat(64);
export const PLAN = D('a');
export const RUN = runId(PLAN, 1);
export const SUM = 5;
const MODEL = D('1');
const FACTS = { samples: 1200, batches: 16, dataReport: D('7') };

/**
 * A site whose contribution to a sum was counted beside those of b and c, and the coordinator's log as an honest one keeps it. A test can make it lie
 * by {@link lie}.
 */
export class ReceiptLog {
  readonly entries: LoggedEntry[] = [];
  readonly site: Member;
  /** SHA-256 of the site's contribution and of the freeze, as they were signed. */
  readonly contribution: string;
  readonly freeze: string;
  /** Sites that cosign what is asked for. */
  cosigning: string[] = [];
  /** Entries of the newest checkpoint with its quorum, if that is not all. */
  witnessedSize: number | undefined;
  unreachable = false;
  lie: (proof: LoggedProof) => LoggedProof = (proof) => proof;
  readonly operator = generateIdentity();
  readonly others = new Map(['b', 'c'].map((name) => [name, generateIdentity()]));

  /** @param change of what the operator signs as the freeze */
  constructor(
    witnessQuorum: Predicate<'charter'>['witnessQuorum'],
    change: (freeze: Predicate<'round-frozen'>) => Predicate<'round-frozen'> = (freeze) => freeze,
  ) {
    const { operator } = this;
    this.site = createMember('a', new SharedBoard(), operator.publicKey);
    this.site.journal.record.append({ kind: 'agent-started', software: 'a fixture' });
    const operatorKey = bytesToHex(operator.publicKey);
    this.append('consortium-founded', { consortium: CONSORTIUM, origin: ORIGIN, operatorKey, wireVersion: 'v1' }, operator);
    const readers = { ledgerReaders: 'members' as const, siteNames: 'plain' as const };
    this.append('charter', { consortium: CONSORTIUM, ...readers, witnessQuorum, witnesses: [] }, operator);
    for (const [site, identity] of this.#sites()) {
      const identityKey = bytesToHex(identity.publicKey);
      this.append('site-enrolled', { consortium: CONSORTIUM, site, identityKey, certificate: D('c') }, operator);
      this.append('witness-key', { consortium: CONSORTIUM, site, key: bytesToHex(publicKeyFromSeed(witnessSeed(site))) }, identity);
    }
    this.contribution = this.#contribute();
    for (const [name, identity] of this.others) this.append('contribution', contributionOf(name, D('6')), identity);
    this.freeze = this.append('round-frozen', change(freezeOf(['a', 'b', 'c'])), operator);
    const counted = { contribution: this.contribution, run: RUN, sum: SUM, kind: 'update' as const, round: 1, attempt: 1 };
    this.site.journal.receipts.owe(counted);
  }

  #sites(): [string, Identity][] {
    return [['a', this.site.identity], ...this.others];
  }

  /** The site trains, and signs what it sends. */
  #contribute(): string {
    const { journal } = this.site;
    const salt = hash('fixture', 'receipt salt');
    const vector = { ...FACTS, salt, coefficients: BigUint64Array.of(1n), backend: 'cpu' as const, saturated: 0 };
    journal.rounds.keepVector(PLAN, 'update', MODEL, vector);
    const { samples, batches, 'data-report': dataReport } = openingsOf(vector, salt);
    const { envelope, digest } = journal.statements.sign(RUN, 'contribution', `${SUM}/1`, {
      ...contributionOf('a', D('5')),
      sampleCommitment: commitmentOf(samples),
      batchCommitment: commitmentOf(batches),
      dataReportCommitment: commitmentOf(dataReport),
    });
    this.add(envelope, this.site.identity.publicKey);
    return digest;
  }

  append<N extends PredicateName>(name: N, predicate: Predicate<N>, signer: Identity): string {
    return this.add(signStatement(name, predicate, signer), signer.publicKey);
  }

  add(envelope: DsseEnvelope, publicKey: Uint8Array): string {
    const payload = Buffer.from(envelope.payload, 'base64');
    this.entries.push({ index: this.entries.length, entry: entryFor(envelope, publicKey), payload });
    return sha256Hex(payload);
  }

  port(): CoordinatorPort {
    return {
      ...this.site.port,
      ledgerEntries: (start, limit) => (this.unreachable ? cut() : Promise.resolve(this.entries.slice(start, start + limit))),
      receipt: (digest) => (this.unreachable ? cut() : this.#receipt(digest)),
    };
  }

  async #receipt(digest: string): Promise<LoggedProof> {
    const logged = this.entries.find(({ payload }) => sha256Hex(payload) === digest);
    if (logged === undefined) throw new CoordinatorRefusal('not-found', 'coordinator-refused', 'There is no entry for this statement yet.');
    const covered = this.entries.slice(0, this.witnessedSize);
    if (logged.index >= covered.length) return { index: logged.index, entry: logged.entry, inclusionProof: [], checkpoint: '' };
    const tree = new MerkleTree(covered.map(({ entry }) => leafHash(entry)));
    const signed = signCheckpoint({ origin: ORIGIN, size: tree.size, root: tree.root() }, LOG_SEED);
    const text = signed.slice(0, signed.indexOf('\n\n') + 1);
    const lines = this.cosigning.map((site) => cosign(text, 1_790_000_000n, { name: witnessName(ORIGIN, site), seed: witnessSeed(site) }));
    const { index, entry } = logged;
    return this.lie({ index, entry, inclusionProof: tree.inclusionProof(BigInt(index)), checkpoint: appendSignatures(signed, lines) });
  }
}

const inSum = { consortium: CONSORTIUM, run: RUN, e: D('e'), kind: 'update' as const, sum: SUM, attempt: 1 };

function contributionOf(site: string, merkleRoot: string): Predicate<'contribution'> {
  const commitments = { sampleCommitment: D('2'), batchCommitment: D('3'), dataReportCommitment: D('4') };
  const upload = { k: D('8'), blocks: 1, droppedBits: 0, object: D('9'), merkleRoot, ranges: NO_RANGES, backend: 'cpu' as const };
  return { ...inSum, ...upload, ...commitments, site };
}

function freezeOf(sites: readonly string[]): Predicate<'round-frozen'> {
  const counted = sites.map((site) => ({ site, merkleRoot: site === 'a' ? D('5') : D('6') }));
  const nonces = sites.map((site) => ({ site, nonce: D('d') }));
  const input = { i: D('f'), modelIn: MODEL, ranges: NO_RANGES, normalisation: NO_NORMALISATION, weightRule: 'samples' };
  return { ...inSum, ...input, epoch: 1, round: 1, nonces, k: D('8'), t: freezeContext(D('8'), counted), counted, excluded: [] };
}

function cut(): Promise<never> {
  return Promise.reject(new AgentError('unreachable', 'the line is cut'));
}
