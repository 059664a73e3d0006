import { keyIdOf, PAYLOAD_TYPE } from '@coferment/crypto';
import { appendSignatures, cosign, parseEntry, signCheckpoint, type SigstoreBundle } from '@coferment/ledger';
import canonicalize from 'canonicalize';
import { ReceiptSource, openableLedger } from '../../ledger/src/receipt/receipt.fixture.js';
import { LOG_SEED, ORIGIN } from '../../ledger/src/verify/sample-ledger.fixture.js';

/** A change to a bundle that no verifier may overlook. */
export interface Tampering {
  readonly name: string;
  readonly change: (bundle: SigstoreBundle) => void;
}

type Entry = SigstoreBundle['verificationMaterial']['tlogEntries'][0];

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
export const source = new ReceiptSource(openableLedger());
export const INDEX = source.indexOf('contribution');
const OTHER = INDEX + 1;
const entryOf = ({ verificationMaterial }: SigstoreBundle): Entry => verificationMaterial.tlogEntries[0];
const proofOf = (bundle: SigstoreBundle) => entryOf(bundle).inclusionProof;
const flipped = (text: string, at = 3) => {
  const bytes = Buffer.from(text, 'base64');
  bytes[at]! ^= 1;
  return base64(bytes);
};

/** Another content of the entry, in the form in which verifiers read it. */
function rewriteBody(bundle: SigstoreBundle, change: (body: ReturnType<typeof bodyOf>) => void): void {
  const body = bodyOf(bundle);
  change(body);
  entryOf(bundle).canonicalizedBody = base64(Buffer.from(canonicalize(body)!));
}

function bodyOf(bundle: SigstoreBundle) {
  return JSON.parse(Buffer.from(entryOf(bundle).canonicalizedBody, 'base64').toString()) as {
    apiVersion: string;
    kind: string;
    spec: {
      dsseV002: {
        payloadHash: { algorithm: string; digest: string };
        signatures: { content: string; verifier: { keyDetails: string; publicKey: { rawBytes: string } } }[];
      };
    };
  };
}

function otherProof(): string[] {
  return source.tree.inclusionProof(BigInt(OTHER)).map(base64);
}

/** Signed by the same log key, over another tree: what a log that forks would show. */
function otherTree(origin = ORIGIN, seed = LOG_SEED): string {
  return signCheckpoint({ origin, size: source.tree.size, root: source.tree.root(source.tree.size - 1n) }, seed);
}

const hashes = source.tree.inclusionProof(BigInt(INDEX)).length;

/** Kinds that any verifier of bundles sees. */
export const tamperings: readonly Tampering[] = [
  {
    name: 'the payload of another statement',
    change: ({ dsseEnvelope }) => (dsseEnvelope.payload = base64(source.ledger.payloads[OTHER]!)),
  },
  { name: 'one bit of the payload', change: ({ dsseEnvelope }) => (dsseEnvelope.payload = flipped(dsseEnvelope.payload, 200)) },
  { name: 'a payload that is cut', change: ({ dsseEnvelope }) => (dsseEnvelope.payload = dsseEnvelope.payload.slice(0, -4)) },
  { name: 'another payload type', change: ({ dsseEnvelope }) => (dsseEnvelope.payloadType = 'application/json' as typeof PAYLOAD_TYPE) },
  {
    name: 'one bit of the signature',
    change: ({ dsseEnvelope }) => (dsseEnvelope.signatures[0].sig = flipped(dsseEnvelope.signatures[0].sig)),
  },
  {
    name: 'the signature of another statement',
    change: ({ dsseEnvelope }) => (dsseEnvelope.signatures[0].sig = base64(parseEntry(source.ledger.entries[OTHER]!).signature)),
  },
  { name: 'no signature', change: ({ dsseEnvelope }) => (dsseEnvelope.signatures as unknown[]).pop() },
  {
    name: 'the hint of another key',
    change: ({ verificationMaterial }) =>
      (verificationMaterial.publicKey.hint = keyIdOf(parseEntry(source.ledger.entries[OTHER]!).publicKey)),
  },
  {
    name: 'one bit of the entry',
    change: (bundle) => (entryOf(bundle).canonicalizedBody = flipped(entryOf(bundle).canonicalizedBody, 150)),
  },
  {
    name: 'the entry of another statement',
    change: (bundle) => (entryOf(bundle).canonicalizedBody = base64(source.ledger.entries[OTHER]!)),
  },
  {
    name: 'another payload hash in the entry',
    change: (bundle) => rewriteBody(bundle, ({ spec }) => (spec.dsseV002.payloadHash.digest = flipped(spec.dsseV002.payloadHash.digest))),
  },
  {
    name: 'another hash algorithm in the entry',
    change: (bundle) => rewriteBody(bundle, ({ spec }) => (spec.dsseV002.payloadHash.algorithm = 'SHA2_512')),
  },
  {
    name: 'two signatures in the entry',
    change: (bundle) => rewriteBody(bundle, ({ spec }) => spec.dsseV002.signatures.push(spec.dsseV002.signatures[0]!)),
  },
  {
    name: 'another key in the entry',
    change: (bundle) =>
      rewriteBody(bundle, ({ spec }) => {
        const { publicKey } = spec.dsseV002.signatures[0]!.verifier;
        publicKey.rawBytes = flipped(publicKey.rawBytes, 20);
      }),
  },
  { name: 'another version of the entry', change: (bundle) => (entryOf(bundle).kindVersion.version = '0.0.1' as '0.0.2') },
  { name: 'another kind of entry', change: (bundle) => (entryOf(bundle).kindVersion.kind = 'hashedrekord' as 'dsse') },
  { name: 'the next index', change: (bundle) => (proofOf(bundle).logIndex = `${OTHER}`) },
  { name: 'an index beyond the tree', change: (bundle) => (proofOf(bundle).logIndex = `${source.tree.size}`) },
  ...Array.from({ length: hashes }, (_, at): Tampering => ({
    name: `one bit of hash ${at} of the proof`,
    change: (bundle) => (proofOf(bundle).hashes[at] = flipped(proofOf(bundle).hashes[at]!, at)),
  })),
  { name: 'a proof without its last hash', change: (bundle) => proofOf(bundle).hashes.pop() },
  { name: 'a proof with a hash too many', change: (bundle) => proofOf(bundle).hashes.push(proofOf(bundle).hashes[0]!) },
  { name: 'a proof in another order', change: (bundle) => proofOf(bundle).hashes.reverse() },
  { name: 'the proof of another entry', change: (bundle) => (proofOf(bundle).hashes = otherProof()) },
  { name: 'no inclusion proof', change: (bundle) => delete (entryOf(bundle) as Partial<Entry>).inclusionProof },
  {
    name: 'another size in the checkpoint',
    change: (bundle) => replaceCheckpoint(bundle, (text) => text.replace(/\n\d+\n/, `\n${source.tree.size + 1n}\n`)),
  },
  {
    name: 'another root in the checkpoint',
    change: (bundle) => replaceCheckpoint(bundle, (text) => text.replace(/\n[^\n]{44}\n/, `\n${base64(source.tree.root(5n))}\n`)),
  },
  {
    name: 'another origin in the checkpoint',
    change: (bundle) => replaceCheckpoint(bundle, (text) => text.replace(ORIGIN, 'ledger.example/b')),
  },
  {
    name: "one bit of the log's signature",
    change: (bundle) =>
      replaceCheckpoint(bundle, (text) =>
        text.replace(/(— \S+ )(\S+)\n/, (_, head: string, sig: string) => `${head}${flipped(sig, 30)}\n`),
      ),
  },
  {
    name: "a checkpoint without the log's signature",
    change: (bundle) => replaceCheckpoint(bundle, (text) => text.replace(/\n— [^\n]+/, '')),
  },
  { name: 'a checkpoint that the log signed over another tree', change: (bundle) => replaceCheckpoint(bundle, () => otherTree()) },
  {
    name: "another log's checkpoint",
    change: (bundle) => replaceCheckpoint(bundle, () => otherTree('ledger.example/b', Buffer.alloc(32, 9))),
  },
  {
    name: 'a checkpoint that only a witness signed, under the name of the log',
    change: (bundle) =>
      replaceCheckpoint(bundle, (text) => {
        const body = text.slice(0, text.indexOf('\n\n') + 1);
        return appendSignatures(`${body}\n`, [cosign(body, 1n, { name: ORIGIN, seed: LOG_SEED })]);
      }),
  },
];

/**
 * Kinds that our verifier sees as well and `@sigstore/verify` 3.1.1 does not look at: it takes size and root from the checkpoint, and finds log and key
 * otherwise. None of them changes what a bundle proves there.
 */
export const tamperingsOfCopies: readonly Tampering[] = [
  { name: 'another tree size beside the checkpoint', change: (bundle) => (proofOf(bundle).treeSize = `${source.tree.size + 1n}`) },
  { name: 'another root beside the checkpoint', change: (bundle) => (proofOf(bundle).rootHash = flipped(proofOf(bundle).rootHash)) },
  { name: 'another log ID', change: (bundle) => (entryOf(bundle).logId.keyId = flipped(entryOf(bundle).logId.keyId)) },
  { name: 'another index beside the proof', change: (bundle) => (entryOf(bundle).logIndex = `${OTHER}`) },
  { name: 'another key ID of the signature', change: ({ dsseEnvelope }) => (dsseEnvelope.signatures[0].keyid = 'ab'.repeat(32)) },
];

function replaceCheckpoint(bundle: SigstoreBundle, change: (text: string) => string): void {
  const { checkpoint } = proofOf(bundle);
  checkpoint.envelope = change(checkpoint.envelope);
}
