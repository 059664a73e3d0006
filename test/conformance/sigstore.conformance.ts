import { keyIdOf } from '@coferment/crypto';
import {
  formatBundle,
  parseBundle,
  parseEntry,
  sigstoreLogId,
  type SigstoreBundle,
  spkiFromPublicKey,
  verifyBundle,
} from '@coferment/ledger';
import { bundleFromJSON } from '@sigstore/bundle';
import { HashAlgorithm, PublicKeyDetails } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { describe, expect, it } from 'vitest';
import { LOG_KEY, ORIGIN } from '../../ledger/src/verify/sample-ledger.fixture.js';
import { INDEX, source, tamperings, tamperingsOfCopies } from './bundle.tampering.js';

const ed25519 = (publicKey: Uint8Array) => ({
  keyDetails: PublicKeyDetails.PKIX_ED25519,
  rawBytes: Buffer.from(spkiFromPublicKey(publicKey)),
  validFor: undefined,
});

function bundleAt(index: number): SigstoreBundle {
  const { proof, payload } = source.at(index);
  return formatBundle(proof, payload, LOG_KEY);
}

/** With the log's key and the keys of all who signed entries, as an auditor gives them to tools that know nothing of Coferment. */
function sigstoreVerify(bundle: unknown): void {
  const log = {
    baseUrl: `https://${ORIGIN}`,
    hashAlgorithm: HashAlgorithm.SHA2_256,
    logId: { keyId: Buffer.from(sigstoreLogId(LOG_KEY)) },
    checkpointKeyId: undefined,
    operator: '',
    publicKey: ed25519(LOG_KEY.publicKey),
  };
  const signers = source.ledger.entries.map((entry) => parseEntry(entry).publicKey);
  const trust = toTrustMaterial(
    { mediaType: '', certificateAuthorities: [], timestampAuthorities: [], ctlogs: [], tlogs: [log] },
    Object.fromEntries(signers.map((publicKey) => [keyIdOf(publicKey), ed25519(publicKey)])),
  );
  new Verifier(trust, { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 }).verify(toSignedEntity(bundleFromJSON(bundle)));
}

const ourVerify = (bundle: unknown) => verifyBundle(parseBundle(JSON.stringify(bundle)), [LOG_KEY]);

describe('bundles of the ledger', () => {
  it('are accepted by @sigstore/verify and by us, whatever the statement, also with cosignatures', () => {
    const first = new Map(source.ledger.names.map((name, index) => [name, index]));
    expect(first.size).toBeGreaterThan(15);
    for (const [name, index] of first) {
      const bundle = bundleAt(index);
      expect(() => sigstoreVerify(bundle), name).not.toThrow();
      expect(ourVerify(bundle).statement.name).toBe(name);
    }
    expect(source.checkpoint.match(/^— /gm)).toHaveLength(3);
  });

  it('are not made from a proof that does not hold', () => {
    const { proof } = source.at(INDEX);
    expect(() => formatBundle(proof, source.ledger.payloads[INDEX + 1]!, LOG_KEY)).toThrow('altered or is another one');
    expect(() => formatBundle({ ...proof, index: proof.index + 1n }, source.ledger.payloads[INDEX]!, LOG_KEY)).toThrow(
      'does not put this entry',
    );
  });
});

describe('a tampered bundle', () => {
  it('is tried in more than 20 kinds', () => {
    const names = [...tamperings, ...tamperingsOfCopies].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(tamperings.filter(({ name }) => !name.startsWith('one bit of hash')).length).toBeGreaterThan(20);
  });

  it.each(tamperings)('with $name is refused by @sigstore/verify and by us', ({ change }) => {
    const bundle = bundleAt(INDEX);
    const before = JSON.stringify(bundle);
    // It is the change that is refused, and nothing else.
    expect(() => sigstoreVerify(bundle)).not.toThrow();
    change(bundle);
    expect(JSON.stringify(bundle)).not.toBe(before);
    expect(() => sigstoreVerify(bundle)).toThrow();
    expect(() => ourVerify(bundle)).toThrow();
  });

  it.each(tamperingsOfCopies)('with $name is refused by us', ({ change }) => {
    const bundle = bundleAt(INDEX);
    change(bundle);
    expect(() => ourVerify(bundle)).toThrow(/in one place and|does not hold/);
    // Should it refuse these one day, they belong to the others.
    expect(() => sigstoreVerify(bundle)).not.toThrow();
  });

  it.each([
    ['another media type', (text: string) => text.replace('v0.3', 'v0.4')],
    ['a field that we do not write', (text: string) => text.replace('{', '{"more":1,')],
    ['base64 in another form', (text: string) => text.replace(/"sig":"([^"=]+)=+"/, '"sig":"$1"')],
    ['text behind it', (text: string) => `${text}x`],
    ['far too many characters', (text: string) => text + ' '.repeat(1_000_001)],
  ])('with %s is refused by us', (_, change) => {
    const text = change(JSON.stringify(bundleAt(INDEX)));
    expect(() => verifyBundle(parseBundle(text), [LOG_KEY])).toThrow(/this bundle does not hold/);
  });
});
