import { type CommittedFact, type CommittedValue, type Predicate, commitmentOf, openingOf } from '@coferment/consortium';
import { hash } from '@coferment/crypto';
import { appendSignatures, cosign, encodeVkey, publicKeyFromSeed, signCheckpoint, verifierKey } from '../note/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import { type Forgery, LOG_SEED, LOG_VKEY, ORIGIN, type SampleLedger, sampleLedger } from '../verify/sample-ledger.fixture.js';
import { witnessName } from '../witness/index.js';
import type { EntryProof } from './tlog.proof.js';

const SALT = hash('fixture', 'contribution salt');
const FACTS: Record<CommittedFact, CommittedValue> = { samples: 1200, batches: 16, 'data-report': '7d'.repeat(32) };
export const openingFor = (fact: CommittedFact, value: CommittedValue = FACTS[fact]) => openingOf(fact, SALT, value);

const witnessSeed = (name: string) => hash('fixture', 'witness', name);
export const witnessKeyOf = (name: string) => verifierKey('witness', witnessName(ORIGIN, name), publicKeyFromSeed(witnessSeed(name)));

/** The sample ledger, in which the contributions of site alpha commit to facts that {@link openingFor} opens. */
export function openableLedger(forge: Forgery = (_, predicate) => predicate): SampleLedger {
  return sampleLedger((name, predicate) => {
    const { site } = predicate as { site?: string };
    if (name !== 'contribution' || site !== 'alpha') return forge(name, predicate);
    const commitments: Partial<Predicate<'contribution'>> = {
      sampleCommitment: commitmentOf(openingFor('samples')),
      batchCommitment: commitmentOf(openingFor('batches')),
      dataReportCommitment: commitmentOf(openingFor('data-report')),
    };
    return forge(name, { ...predicate, ...commitments });
  });
}

/** Hands out proofs of one ledger under one checkpoint that these witnesses have cosigned. */
export class ReceiptSource {
  readonly tree: MerkleTree;
  readonly checkpoint: string;

  constructor(
    readonly ledger: SampleLedger,
    witnesses: readonly string[] = ['bravo', 'charlie'],
  ) {
    this.tree = new MerkleTree(ledger.entries.map(leafHash));
    const signed = signCheckpoint({ origin: ORIGIN, size: this.tree.size, root: this.tree.root() }, LOG_SEED);
    const text = signed.slice(0, signed.indexOf('\n\n') + 1);
    const cosignatures = witnesses.map((name, position) =>
      cosign(text, 1_790_000_000n + BigInt(position), { name: witnessName(ORIGIN, name), seed: witnessSeed(name) }),
    );
    this.checkpoint = appendSignatures(signed, cosignatures);
  }

  at(index: number): { proof: EntryProof; payload: Uint8Array } {
    const { ledger, tree, checkpoint } = this;
    return {
      proof: { index: BigInt(index), entry: ledger.entries[index]!, proof: tree.inclusionProof(BigInt(index)), checkpoint },
      payload: ledger.payloads[index]!,
    };
  }

  /** The entries of an act in sum 6, the first update: of site alpha where the act is a site's. */
  indexOf(name: 'contribution' | 'round-frozen', sum = 6, site = 'alpha'): number {
    return this.ledger.names.findIndex((found, index) => {
      if (found !== name) return false;
      const { predicate } = JSON.parse(Buffer.from(this.ledger.payloads[index]!).toString()) as {
        predicate: { sum: number; site?: string };
      };
      return predicate.sum === sum && (predicate.site ?? site) === site;
    });
  }
}

/** @param quorum how many of bravo, charlie and delta must have cosigned */
export const policyText = (quorum: number) =>
  [
    `log ${LOG_VKEY}`,
    ...['bravo', 'charlie', 'delta'].map((name) => `witness ${name} ${encodeVkey(witnessKeyOf(name))}`),
    `group sites ${quorum} bravo charlie delta`,
    'quorum sites',
    '',
  ].join('\n');
