import {
  type DsseEnvelope,
  PAYLOAD_TYPE,
  bytesToHex,
  hexToBytes,
  preAuthenticationEncoding,
  sha256Hex,
  verifyEnvelope,
} from '@coferment/crypto';
import { z } from 'zod';
import { LedgerError } from '../errors/index.js';
import { decodeBase64, encodeBase64 } from '../note/base64.text.js';
import { SIGNATURE_BYTES, publicKeyFromSpki, spkiFromPublicKey, verifyEd25519 } from '../note/ed25519.key.js';

/** What the log keeps of a signed statement: enough to verify it once its payload is at hand, and nothing of what the payload says. */
export interface LedgerEntry {
  /** SHA-256 of the payload (the in-toto Statement exactly as signed), hex. */
  readonly payloadHash: string;
  /** Ed25519 over the DSSE pre-authentication encoding, 64 bytes. */
  readonly signature: Uint8Array;
  /** 32 bytes. That the log carries a key does not make it a member's: see enrolment. */
  readonly publicKey: Uint8Array;
}

// An entry is a few hundred bytes; whatever is much longer is refused before it is parsed.
const MAX_ENTRY_BYTES = 4096;

// Rekor v2, `dsse` 0.0.2 (DSSELogEntryV002 of @sigstore/protobuf-specs), so that one receipt is also a Sigstore bundle.
const bodySchema = z.strictObject({
  apiVersion: z.literal('0.0.2'),
  kind: z.literal('dsse'),
  spec: z.strictObject({
    dsseV002: z.strictObject({
      payloadHash: z.strictObject({ algorithm: z.literal('SHA2_256'), digest: z.string() }),
      signatures: z.tuple([
        z.strictObject({
          content: z.string(),
          verifier: z.strictObject({ keyDetails: z.literal('PKIX_ED25519'), publicKey: z.strictObject({ rawBytes: z.string() }) }),
        }),
      ]),
    }),
  }),
});

/**
 * The entry of a signed envelope: RFC 8785 JSON, about 430 bytes.
 * The signature is verified first, since an entry that does not verify could never be taken out of the log again.
 * @throws CryptoError when the envelope is not signed by this key
 */
export function entryFor(envelope: DsseEnvelope, publicKey: Uint8Array): Uint8Array {
  const payload = verifyEnvelope(envelope, publicKey);
  const signature = decodeBase64(envelope.signatures[0].sig)!;
  return encodeEntry({ payloadHash: sha256Hex(payload), signature, publicKey });
}

/** The canonical form, as {@link encodeEntry} writes it. */
const CANONICAL =
  /^\{"apiVersion":"0\.0\.2","kind":"dsse","spec":\{"dsseV002":\{"payloadHash":\{"algorithm":"SHA2_256","digest":"([^"]+)"\},"signatures":\[\{"content":"([^"]+)","verifier":\{"keyDetails":"PKIX_ED25519","publicKey":\{"rawBytes":"([^"]+)"\}\}\}\]\}\}\}$/;

/** Payload hash, signature and key in base64. JSON is only parsed to say what is wrong with an entry that has not the form that all of them have. */
function fieldsOf(bytes: Uint8Array): [string, string, string] {
  const [, digest, signature, spki] = CANONICAL.exec(Buffer.from(bytes).toString('latin1')) ?? [];
  if (digest !== undefined && signature !== undefined && spki !== undefined) return [digest, signature, spki];
  const parsed = bodySchema.safeParse(parseJson(bytes));
  if (!parsed.success) throw malformed(z.prettifyError(parsed.error).replaceAll('\n', ' '));
  const { payloadHash, signatures } = parsed.data.spec.dsseV002;
  return [payloadHash.digest, signatures[0].content, signatures[0].verifier.publicKey.rawBytes];
}

/** Reads an entry; only the one canonical form is accepted. @throws LedgerError 'malformed-entry' */
export function parseEntry(bytes: Uint8Array): LedgerEntry {
  if (bytes.length > MAX_ENTRY_BYTES) throw malformed(`it has ${bytes.length} bytes; at most ${MAX_ENTRY_BYTES} are read`);
  const [digestText, signatureText, spkiText] = fieldsOf(bytes);
  const digest = decodeBase64(digestText);
  const signature = decodeBase64(signatureText);
  const spki = decodeBase64(spkiText);
  if (digest?.length !== 32) throw malformed('its payload hash is not the base64 form of 32 bytes');
  if (signature?.length !== SIGNATURE_BYTES) throw malformed(`its signature is not the base64 form of ${SIGNATURE_BYTES} bytes`);
  if (!spki) throw malformed('its key is not base64');
  const entry: LedgerEntry = { payloadHash: bytesToHex(digest), signature, publicKey: publicKeyFromSpki(spki) };
  // Two spellings of one entry would be two leaves for one act.
  if (Buffer.compare(encodeEntry(entry), bytes) !== 0) throw malformed('it is not in RFC 8785 canonical form');
  return entry;
}

/**
 * Checks the payload that travels beside the log against its entry. It does not say whose key it is.
 * @throws LedgerError 'payload-mismatch', 'bad-signature'
 */
export function verifyEntry(entry: LedgerEntry, payload: Uint8Array): void {
  const found = sha256Hex(payload);
  if (found !== entry.payloadHash) {
    throw new LedgerError(
      'payload-mismatch',
      `the payload hashes to ${found}, the entry is over ${entry.payloadHash}; it was altered or is another one`,
    );
  }
  verifySignature(entry, payload);
}

/** For a payload whose hash is known to be that of the entry. @throws LedgerError 'bad-signature' */
export function verifySignature(entry: LedgerEntry, payload: Uint8Array): void {
  if (!verifyEd25519(preAuthenticationEncoding(PAYLOAD_TYPE, payload), entry.signature, entry.publicKey)) {
    throw new LedgerError(
      'bad-signature',
      `the signature over payload ${entry.payloadHash} does not verify under key ${bytesToHex(entry.publicKey)}`,
    );
  }
}

/** The bytes of an entry, as they are in the log; nothing is verified (see {@link entryFor}). RFC 8785: members in the order of their names. Base64 needs no escapes, so the text around it is always the same. */
export function encodeEntry({ payloadHash, signature, publicKey }: LedgerEntry): Uint8Array {
  const digest = encodeBase64(hexToBytes(payloadHash));
  const verifier = `{"keyDetails":"PKIX_ED25519","publicKey":{"rawBytes":"${encodeBase64(spkiFromPublicKey(publicKey))}"}}`;
  const signatures = `[{"content":"${encodeBase64(signature)}","verifier":${verifier}}]`;
  const spec = `{"dsseV002":{"payloadHash":{"algorithm":"SHA2_256","digest":"${digest}"},"signatures":${signatures}}}`;
  return new TextEncoder().encode(`{"apiVersion":"0.0.2","kind":"dsse","spec":${spec}}`);
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw malformed('it is not JSON');
  }
}

function malformed(reason: string): LedgerError {
  return new LedgerError('malformed-entry', `this is not a ledger entry: ${reason}`);
}
