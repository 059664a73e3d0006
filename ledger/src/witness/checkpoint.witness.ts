import { LedgerError } from '../errors/index.js';
import {
  type NoteSigner,
  type OpenedCheckpoint,
  type VerifierKey,
  appendSignatures,
  cosign,
  formatSignature,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
} from '../note/index.js';
import { verifyConsistency } from '../proof/index.js';
import { emptyRoot } from '../tree/index.js';
import type { SplitView } from './split.view.js';

/** The largest checkpoint of a log that a witness has found to extend all that it saw before. */
export interface SeenCheckpoint {
  readonly size: bigint;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The checkpoint with the log's own signatures and nobody else's, as evidence. */
  readonly note: string;
}

export interface CheckpointOffer {
  readonly origin: string;
  /** Keys of the log; signatures of others are ignored. */
  readonly logKeys: readonly VerifierKey[];
  /** What this witness saw last; undefined at the first time, when the checkpoint is taken on trust. */
  readonly last: SeenCheckpoint | undefined;
  /** The signed checkpoint as it came. */
  readonly note: string;
  /** RFC 9162 §2.1.4, from the size of `last` (empty when that is 0 or there is none). */
  readonly proof: readonly Uint8Array[];
}

/**
 * Why a checkpoint is not cosigned: `malformed` is no checkpoint of any log; `unknown-origin` one of another log; `not-signed` not signed by the log's key; `impossible`
 * signed by it over no entries, with another root than that of no entries; `stale` an older one than the last, so nobody may be told that it is the newest; `unproven`
 * larger than the last, without proof that it begins with it.
 */
export type RefusalCode = 'malformed' | 'unknown-origin' | 'not-signed' | 'impossible' | 'stale' | 'unproven';

export type Consideration =
  /** Store `seen` durably, and only if `last` is still what is stored; sign and answer only after that. */
  | { readonly kind: 'cosign'; readonly seen: SeenCheckpoint }
  /** The last one again: it may be cosigned again, nothing is to be stored. */
  | { readonly kind: 'known' }
  /** Keep the evidence; the log has told two readers two things. */
  | { readonly kind: 'split-view'; readonly evidence: SplitView }
  | {
      readonly kind: 'refused';
      readonly code: RefusalCode;
      readonly reason: string;
      /** With `unproven`: to be kept. It proves nothing yet, since whoever passes a checkpoint on may have spoiled its proof; but a log that signs what it cannot prove is a liar. */
      readonly suspicion?: SplitView;
    };

/**
 * The one decision of a witness (C2SP tlog-witness, tlog-cosignature): does this checkpoint extend everything seen before? Pure: whoever calls it must compare and store in one
 * step, or two offers at once get two histories cosigned. It never throws for what came from outside.
 */
export function considerCheckpoint({ origin, logKeys, last, note, proof }: CheckpointOffer): Consideration {
  const opened = openOffer(origin, logKeys, note);
  if ('code' in opened) return { kind: 'refused', ...opened };
  const { size, root } = opened;
  const seen: SeenCheckpoint = { size, root, note: logSigned(opened) };
  const sameRoot = (other: Uint8Array) => Buffer.compare(root, other) === 0;
  if (size === 0n && !sameRoot(emptyRoot()))
    return refused('impossible', `the log has signed another root for no entries than the one that no entries have`);
  if (!last) return proof.length === 0 ? { kind: 'cosign', seen } : refused('unproven', 'a proof came, but there is no earlier checkpoint');

  const pair: SplitView = { origin, first: last.note, second: seen.note };
  if (size === last.size) return sameRoot(last.root) ? { kind: 'known' } : { kind: 'split-view', evidence: pair };
  if (size < last.size) return refused('stale', `it is over ${size} entries, and one over ${last.size} was seen before`);
  // RFC 9162 gives no proof from the empty tree, which every tree extends.
  const isProved =
    last.size === 0n
      ? proof.length === 0
      : verifyConsistency({ olderSize: last.size, olderRoot: last.root, newerSize: size, newerRoot: root, proof });
  if (isProved) return { kind: 'cosign', seen };
  return {
    ...refused('unproven', `the proof does not show that its ${size} entries begin with the ${last.size} seen before`),
    suspicion: pair,
  };
}

/** Takes a checkpoint from elsewhere as the last one seen, so that a witness need not trust the first one that a log shows it. @throws LedgerError as openCheckpoint */
export function seenCheckpoint(note: string, logKeys: readonly VerifierKey[]): SeenCheckpoint {
  const opened = openCheckpoint(note, onlyLogs(logKeys));
  return { size: opened.size, root: opened.root, note: logSigned(opened) };
}

/**
 * The signature line (with its newline) that a witness answers with. Store what was seen before you let it out.
 * @param note the signed checkpoint
 */
export function cosignatureLine(note: string, unixSeconds: bigint, witness: NoteSigner): string {
  return formatSignature(cosign(parseNote(note).text, unixSeconds, witness));
}

function openOffer(
  origin: string,
  logKeys: readonly VerifierKey[],
  note: string,
): OpenedCheckpoint | { code: RefusalCode; reason: string } {
  try {
    const claimed = parseCheckpoint(parseNote(note).text).origin;
    if (claimed !== origin) return { code: 'unknown-origin', reason: `it is of the log "${claimed.slice(0, 200)}", not of "${origin}"` };
  } catch (error) {
    return { code: 'malformed', reason: (error as Error).message };
  }
  try {
    return openCheckpoint(note, onlyLogs(logKeys));
  } catch (error) {
    if (error instanceof LedgerError) return { code: 'not-signed', reason: error.message };
    throw error;
  }
}

/** Without lines of unknown keys, which anyone can add: else one checkpoint could fill the disk as ever new evidence. */
function logSigned({ note: { text, signatures, verifiedBy } }: OpenedCheckpoint): string {
  const lines = verifiedBy.map((key) => signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId)!);
  return appendSignatures(`${text}\n`, lines);
}

function onlyLogs(keys: readonly VerifierKey[]): VerifierKey[] {
  return keys.filter(({ kind }) => kind === 'log');
}

function refused(code: RefusalCode, reason: string) {
  return { kind: 'refused' as const, code, reason };
}
