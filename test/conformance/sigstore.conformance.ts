import { createHash } from 'node:crypto';
import { PAYLOAD_TYPE, keyIdOf } from '@coferment/crypto';
import { MerkleTree, leafHash, parseEntry, spkiFromPublicKey } from '@coferment/ledger';
import { bundleFromJSON } from '@sigstore/bundle';
import { PublicKeyDetails, HashAlgorithm } from '@sigstore/protobuf-specs';
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify';
import { beforeAll, describe, expect, it } from 'vitest';
import { LOG_KEY, ORIGIN, exportSample, sampleLedger } from '../../ledger/src/verify/sample-ledger.fixture.js';

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const ledger = sampleLedger();
const tree = new MerkleTree(ledger.entries.map(leafHash));
const INDEX = 30;
const entry = parseEntry(ledger.entries[INDEX]!);
const hint = keyIdOf(entry.publicKey);
// Sigstore names a log by the whole hash of which a note shows four bytes.
const logId = createHash('sha256')
  .update(Buffer.concat([Buffer.from(`${ORIGIN}\n`), Uint8Array.of(1), LOG_KEY.publicKey]))
  .digest();

let checkpoint: string;
beforeAll(async () => {
  checkpoint = Buffer.from((await exportSample(ledger)).get('checkpoint')!).toString();
});

/** One entry, its payload and its proof as a Sigstore bundle v0.3, the way other people's verifiers read them. */
function bundle() {
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      publicKey: { hint },
      tlogEntries: [
        {
          logIndex: `${INDEX}`,
          logId: { keyId: base64(logId) },
          kindVersion: { kind: 'dsse', version: '0.0.2' },
          inclusionProof: {
            logIndex: `${INDEX}`,
            rootHash: base64(tree.root()),
            treeSize: `${tree.size}`,
            hashes: tree.inclusionProof(BigInt(INDEX)).map(base64),
            checkpoint: { envelope: checkpoint },
          },
          canonicalizedBody: base64(ledger.entries[INDEX]!),
        },
      ],
    },
    dsseEnvelope: {
      payloadType: PAYLOAD_TYPE,
      payload: base64(ledger.payloads[INDEX]!),
      signatures: [{ sig: base64(entry.signature), keyid: hint }],
    },
  };
}

function verify(json: ReturnType<typeof bundle>): void {
  const trust = toTrustMaterial(
    {
      mediaType: '',
      certificateAuthorities: [],
      timestampAuthorities: [],
      ctlogs: [],
      tlogs: [
        {
          baseUrl: `https://${ORIGIN}`,
          hashAlgorithm: HashAlgorithm.SHA2_256,
          logId: { keyId: logId },
          checkpointKeyId: undefined,
          operator: '',
          publicKey: {
            keyDetails: PublicKeyDetails.PKIX_ED25519,
            rawBytes: Buffer.from(spkiFromPublicKey(LOG_KEY.publicKey)),
            validFor: undefined,
          },
        },
      ],
    },
    {
      [hint]: { keyDetails: PublicKeyDetails.PKIX_ED25519, rawBytes: Buffer.from(spkiFromPublicKey(entry.publicKey)), validFor: undefined },
    },
  );
  new Verifier(trust, { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 }).verify(toSignedEntity(bundleFromJSON(json)));
}

describe('@sigstore/verify', () => {
  it('accepts an entry of the ledger with its proof as a bundle', () => {
    expect(ledger.names[INDEX]).toBe('dealing-ack');
    expect(() => verify(bundle())).not.toThrow();
  });

  it('refuses another payload under the same entry', () => {
    const changed = bundle();
    changed.dsseEnvelope.payload = base64(ledger.payloads[INDEX + 1]!);
    expect(() => verify(changed)).toThrow();
  });

  it('refuses another signature', () => {
    const changed = bundle();
    changed.dsseEnvelope.signatures[0]!.sig = base64(parseEntry(ledger.entries[INDEX + 1]!).signature);
    expect(() => verify(changed)).toThrow();
  });

  it('refuses a proof with one changed bit, a changed checkpoint and another entry', () => {
    const proof = bundle();
    const hashes = proof.verificationMaterial.tlogEntries[0]!.inclusionProof.hashes;
    const first = Buffer.from(hashes[0]!, 'base64');
    first[3]! ^= 1;
    hashes[0] = base64(first);
    expect(() => verify(proof)).toThrow();

    const note = bundle();
    const inclusion = note.verificationMaterial.tlogEntries[0]!.inclusionProof;
    inclusion.checkpoint.envelope = inclusion.checkpoint.envelope.replace(`\n${tree.size}\n`, `\n${tree.size + 1n}\n`);
    expect(() => verify(note)).toThrow();

    const body = bundle();
    body.verificationMaterial.tlogEntries[0]!.canonicalizedBody = base64(ledger.entries[INDEX + 1]!);
    expect(() => verify(body)).toThrow();
  });
});
