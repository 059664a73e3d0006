import { createHash } from 'node:crypto';
import { PAYLOAD_TYPE, keyIdOf } from '@coferment/crypto';
import { z } from 'zod';
import { parseEntry } from '../entry/index.js';
import { LedgerError } from '../errors/index.js';
import { decodeBase64, encodeBase64 } from '../note/base64.text.js';
import { type OpenedCheckpoint, type VerifierKey, openCheckpoint } from '../note/index.js';
import { type ProvenStatement, proveStatement } from './proven.statement.js';
import type { EntryProof } from './tlog.proof.js';

const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const KIND = { kind: 'dsse', version: '0.0.2' } as const;
/** The largest statement and the longest proof in base64, twice over. */
const MAX_BUNDLE_CHARS = 1_000_000;

const index = z.string().regex(/^(?:0|[1-9][0-9]{0,19})$/, 'must be a decimal number');

/** Bundle v0.3 of sigstore/protobuf-specs, as far as a statement that is signed with a plain key uses it; in the JSON form of its messages. */
const bundleSchema = z.strictObject({
  mediaType: z.literal(MEDIA_TYPE),
  verificationMaterial: z.strictObject({
    publicKey: z.strictObject({ hint: z.string() }),
    tlogEntries: z.tuple([
      z.strictObject({
        logIndex: index,
        logId: z.strictObject({ keyId: z.string() }),
        kindVersion: z.strictObject({ kind: z.literal(KIND.kind), version: z.literal(KIND.version) }),
        inclusionProof: z.strictObject({
          logIndex: index,
          rootHash: z.string(),
          treeSize: index,
          hashes: z.array(z.string()).max(64),
          checkpoint: z.strictObject({ envelope: z.string() }),
        }),
        canonicalizedBody: z.string(),
      }),
    ]),
  }),
  dsseEnvelope: z.strictObject({
    payloadType: z.literal(PAYLOAD_TYPE),
    payload: z.string(),
    signatures: z.tuple([z.strictObject({ sig: z.string(), keyid: z.string() })]),
  }),
});

/** Plain JSON. */
export type SigstoreBundle = z.infer<typeof bundleSchema>;

/** Sigstore names a log by the whole hash of which a note shows four bytes. */
export function sigstoreLogId({ name, publicKey }: VerifierKey): Uint8Array {
  return new Uint8Array(
    createHash('sha256')
      .update(Buffer.concat([Buffer.from(`${name}\n`), Uint8Array.of(1), publicKey]))
      .digest(),
  );
}

/**
 * One statement, its signature and its place in the log in one file that other people's tools verify.
 * @throws LedgerError when the proof does not hold under the log's key: what does not verify is not handed out
 */
export function formatBundle(proof: EntryProof, payload: Uint8Array, logKey: VerifierKey): SigstoreBundle {
  const { entry, checkpoint, index: place } = proveStatement(proof, payload, [logKey]);
  const hint = keyIdOf(entry.publicKey);
  return {
    mediaType: MEDIA_TYPE,
    verificationMaterial: {
      publicKey: { hint },
      tlogEntries: [
        {
          logIndex: place.toString(),
          logId: { keyId: encodeBase64(sigstoreLogId(logKey)) },
          kindVersion: { ...KIND },
          inclusionProof: {
            logIndex: place.toString(),
            rootHash: encodeBase64(checkpoint.root),
            treeSize: checkpoint.size.toString(),
            hashes: proof.proof.map(encodeBase64),
            checkpoint: { envelope: proof.checkpoint },
          },
          canonicalizedBody: encodeBase64(proof.entry),
        },
      ],
    },
    dsseEnvelope: {
      payloadType: PAYLOAD_TYPE,
      payload: encodeBase64(payload),
      signatures: [{ sig: encodeBase64(entry.signature), keyid: hint }],
    },
  };
}

/** Reads a bundle strictly: what we do not write, we do not believe. @throws LedgerError 'malformed-receipt' */
export function parseBundle(text: string): SigstoreBundle {
  if (text.length > MAX_BUNDLE_CHARS) throw malformed(`it has ${text.length} characters; at most ${MAX_BUNDLE_CHARS} are read`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformed('it is not JSON');
  }
  const parsed = bundleSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`"${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}`);
  }
  return parsed.data;
}

/**
 * Verifies a bundle without any library of Sigstore's. Everything that stands in it twice must agree: a reader who looks at one place must not see
 * something else than a reader who looks at the other.
 * @throws LedgerError, or ConsortiumError for a payload that is no statement of ours
 */
export function verifyBundle(bundle: SigstoreBundle, keys: readonly VerifierKey[]): ProvenStatement {
  const { proof, payload, signature, hint } = contentOf(bundle);
  const { inclusionProof, logIndex, logId } = bundle.verificationMaterial.tlogEntries[0];
  const checkpoint = openCheckpoint(proof.checkpoint, keys);
  requireSame('log index', logIndex, inclusionProof.logIndex);
  requireSame('tree size', inclusionProof.treeSize, checkpoint.size.toString());
  requireSame('root', inclusionProof.rootHash, encodeBase64(checkpoint.root));
  requireSame('log ID', logId.keyId, encodeBase64(sigstoreLogId(logKeyOf(checkpoint))));
  const entry = parseEntry(proof.entry);
  requireSame('key hint', hint, keyIdOf(entry.publicKey));
  requireSame('key of the signature', bundle.dsseEnvelope.signatures[0].keyid, hint);
  requireSame('signature', encodeBase64(signature), encodeBase64(entry.signature));
  return proveStatement(proof, payload, keys);
}

/** The proof and the statement of a bundle, neither of them verified. @throws LedgerError 'malformed-receipt' */
export function contentOf(bundle: SigstoreBundle): { proof: EntryProof; payload: Uint8Array; signature: Uint8Array; hint: string } {
  const { publicKey, tlogEntries } = bundle.verificationMaterial;
  const { inclusionProof, canonicalizedBody } = tlogEntries[0];
  const { payload, signatures } = bundle.dsseEnvelope;
  return {
    proof: {
      index: BigInt(inclusionProof.logIndex),
      entry: bytesOf('entry', canonicalizedBody),
      proof: inclusionProof.hashes.map((hash) => bytesOf('hash of the proof', hash)),
      checkpoint: inclusionProof.checkpoint.envelope,
    },
    payload: bytesOf('payload', payload),
    signature: bytesOf('signature', signatures[0].sig),
    hint: publicKey.hint,
  };
}

/** Of the keys that signed; {@link openCheckpoint} has seen to it that there is one. */
function logKeyOf({ origin, note }: OpenedCheckpoint): VerifierKey {
  return note.verifiedBy.find((key) => key.kind === 'log' && key.name === origin)!;
}

function bytesOf(what: string, base64: string): Uint8Array {
  const bytes = decodeBase64(base64);
  if (!bytes) throw malformed(`its ${what} is not base64 in canonical form`);
  return bytes;
}

function requireSame(what: string, said: string, shown: string): void {
  if (said !== shown) throw malformed(`its ${what} is "${said.slice(0, 100)}" in one place and "${shown.slice(0, 100)}" in another`);
}

function malformed(reason: string): LedgerError {
  return new LedgerError('malformed-receipt', `this bundle does not hold: ${reason}`);
}
