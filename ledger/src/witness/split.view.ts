import { z } from 'zod';
import { LedgerError } from '../errors/index.js';
import { type OpenedCheckpoint, type VerifierKey, openCheckpoint } from '../note/index.js';
import { decodeBase64, encodeBase64 } from '../note/base64.text.js';
import { verifyInclusion } from '../proof/index.js';

/** Two checkpoints of one log that do not agree, or are suspected not to. */
export interface SplitView {
  readonly origin: string;
  /** Signed notes; what was seen first stands first. */
  readonly first: string;
  readonly second: string;
  /** For two sizes: one place at which both logs have an entry, and not the same one. */
  readonly difference?: DifferingEntry;
}

export interface DifferingEntry {
  /** Zero-based position. */
  readonly index: bigint;
  readonly first: IncludedLeaf;
  readonly second: IncludedLeaf;
}

export interface IncludedLeaf {
  /** RFC 9162 leaf hash of the entry, 32 bytes. */
  readonly leafHash: Uint8Array;
  /** Inclusion proof in the checkpoint of this half. */
  readonly proof: readonly Uint8Array[];
}

/** `proved` needs no trust in whoever brings the file; `agrees` both halves say the same; `open` both are the log's, but nothing here shows that they contradict. */
export interface SplitViewFinding {
  readonly verdict: 'proved' | 'agrees' | 'open';
  readonly reason: string;
  readonly sizes: readonly [bigint, bigint];
}

const FORMAT = 'coferment-split-view/1';
const MAX_BYTES = 1_000_000;
const MAX_PROOF = 64;

const leafSchema = z.strictObject({ leafHash: z.string().max(44), proof: z.array(z.string().max(44)).max(MAX_PROOF) });
const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  origin: z.string(),
  first: z.string(),
  second: z.string(),
  difference: z.strictObject({ index: z.string().regex(/^(?:0|[1-9][0-9]{0,19})$/), first: leafSchema, second: leafSchema }).optional(),
});

/** The evidence as a file that anyone can check: JSON with both notes word for word. */
export function splitViewText({ origin, first, second, difference }: SplitView): string {
  const leaf = ({ leafHash, proof }: IncludedLeaf) => ({ leafHash: encodeBase64(leafHash), proof: proof.map(encodeBase64) });
  const file: z.infer<typeof fileSchema> = {
    format: FORMAT,
    origin,
    first,
    second,
    ...(difference && {
      difference: { index: difference.index.toString(), first: leaf(difference.first), second: leaf(difference.second) },
    }),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** @throws LedgerError 'malformed-evidence' */
export function parseSplitView(text: string): SplitView {
  if (text.length > MAX_BYTES) throw malformed(`it has ${text.length} characters; at most ${MAX_BYTES} are read`);
  const parsed = fileSchema.safeParse(parseJson(text));
  if (!parsed.success) throw malformed(z.prettifyError(parsed.error).replaceAll('\n', ' '));
  const { origin, first, second, difference } = parsed.data;
  const leaf = (half: z.infer<typeof leafSchema>): IncludedLeaf => ({ leafHash: hashOf(half.leafHash), proof: half.proof.map(hashOf) });
  if (!difference) return { origin, first, second };
  return {
    origin,
    first,
    second,
    difference: { index: BigInt(difference.index), first: leaf(difference.first), second: leaf(difference.second) },
  };
}

/**
 * Whether the evidence shows that the holder of the log's key signed two histories.
 * @throws LedgerError of openCheckpoint when a half is not signed by one of these keys, 'malformed-evidence' when they are of two logs
 */
export function checkSplitView({ origin, first, second, difference }: SplitView, logKeys: readonly VerifierKey[]): SplitViewFinding {
  const keys = logKeys.filter(({ kind }) => kind === 'log');
  const [one, other] = [openCheckpoint(first, keys), openCheckpoint(second, keys)];
  for (const half of [one, other])
    if (half.origin !== origin) throw malformed(`it is about "${origin}", and holds a checkpoint of "${half.origin}"`);
  const sizes = [one.size, other.size] as const;
  if (one.size === other.size) {
    const agree = Buffer.compare(one.root, other.root) === 0;
    return agree
      ? { verdict: 'agrees', sizes, reason: `both halves commit to the same ${one.size} entries` }
      : { verdict: 'proved', sizes, reason: `the log has signed two different lists of ${one.size} entries` };
  }
  if (!difference)
    return {
      verdict: 'open',
      sizes,
      reason: `the halves are over ${one.size} and ${other.size} entries, and nothing in the file shows whether one begins with the other; ask the log for a proof`,
    };
  const { index } = difference;
  const differ = Buffer.compare(difference.first.leafHash, difference.second.leafHash) !== 0;
  const holds = includes(one, index, difference.first) && includes(other, index, difference.second);
  return differ && holds
    ? { verdict: 'proved', sizes, reason: `the log has signed two different entries number ${index}` }
    : { verdict: 'open', sizes, reason: `what the file says of entry ${index} does not hold, so it shows no contradiction` };
}

function includes({ size, root }: OpenedCheckpoint, index: bigint, { leafHash, proof }: IncludedLeaf): boolean {
  return verifyInclusion({ leafHash, index, size, root, proof });
}

function hashOf(text: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes?.length !== 32) throw malformed(`"${text}" is not the base64 form of a SHA-256 hash`);
  return bytes;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('it is not JSON');
  }
}

function malformed(reason: string): LedgerError {
  return new LedgerError('malformed-evidence', `this is not evidence of a split view: ${reason}`);
}
