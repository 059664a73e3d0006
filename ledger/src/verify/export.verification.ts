import { availableParallelism } from 'node:os';
import { CHECKPOINT_PATH, POLICY_PATH } from '../export/index.js';
import { type OpenedCheckpoint, openCheckpoint } from '../note/index.js';
import { type WitnessPolicy, parsePolicy } from '../policy/index.js';
import { type ReadFile, tilesOfLevel } from '../tiles/index.js';
import { checkedBundles } from './bundle.pool.js';
import { ContentReader } from './content.reader.js';
import { EarlierCheck, type EarlierCheckpoint } from './earlier.check.js';
import type { Recorded } from './evidence.js';
import { LogCheck, bundlesFrom } from './log.check.js';
import {
  type CheckId,
  type CheckResult,
  type Finding,
  type VerificationReport,
  checkResult,
  checkTitles,
  verdictOf,
} from './verification.report.js';
import { checkWitnesses } from './witness.check.js';

// An export is somebody else's: nothing in it may make the auditor read without bound.
const MAX_ENTRIES = 5_000_000n;
const MOST_THREADS = 2;

export interface VerifyOptions {
  /** Whose signatures count, from outside the export. Without it the export's own policy is used and the report says that the key was not checked. */
  readonly policy?: WitnessPolicy;
  /** Hex. The key that must have founded the consortium. */
  readonly operatorKey?: string;
  /** Checkpoints seen before, best from other members: this export must extend them. */
  readonly earlier?: EarlierCheckpoint | readonly EarlierCheckpoint[];
  /** Threads beside this one that check signatures; 1: none. By default two, or one on a machine with one core. Small logs are checked without. */
  readonly threads?: number;
  /** Told every statement whose signature holds, in the order of the log, each act once: for whoever derives something from the ledger beside the checks. */
  readonly onStatement?: (statement: Recorded) => void;
  /** Told after every 256 entries. */
  readonly onProgress?: (entries: number, size: number) => void;
}

/**
 * Verifies an exported ledger without network, account or trust in whoever made it. It goes on after a failure wherever that means something:
 * a changed tile does not hide a forged signature. It reads the log once, from its first entry to its last, and forgets what nothing can need any more.
 * @param read the files of the export
 */
export async function verifyExport(read: ReadFile, options: VerifyOptions = {}): Promise<VerificationReport> {
  const results = new Map<CheckId, CheckResult>();
  const note = (id: CheckId, finding: Finding) => results.set(id, checkResult(id, finding));
  const base = {
    operatorKeyPinned: options.operatorKey !== undefined,
    log: undefined,
    consortium: undefined,
    operatorKey: undefined,
    totals: [],
  };
  const finish = (found: Partial<VerificationReport> = {}): VerificationReport => {
    for (const id of Object.keys(checkTitles) as CheckId[]) {
      if (!results.has(id)) note(id, { detail: 'not reached, because of what failed before', unchecked: true });
    }
    const checks = (Object.keys(checkTitles) as CheckId[]).map((id) => results.get(id)!);
    return { ...base, ...found, ...verdictOf(checks, options.policy !== undefined), checks };
  };

  const policy = options.policy ?? (await ownPolicy(read));
  if (!policy) {
    note('checkpoint', { detail: `no key was given, and the export has no readable ${POLICY_PATH}`, unchecked: true });
    return finish();
  }
  const { finding, checkpoint, text } = await checkCheckpoint(read, policy);
  note('checkpoint', finding);
  if (!checkpoint) return finish();
  note('witnesses', checkWitnesses(policy, checkpoint));
  const log = {
    origin: checkpoint.origin,
    size: checkpoint.size.toString(),
    root: Buffer.from(checkpoint.root).toString('hex'),
    signedBy: checkpoint.note.verifiedBy.map(({ name, keyId }) => `${name}+${keyId}`),
  };

  const tree = new LogCheck(read, checkpoint);
  const earlier = new EarlierCheck(earlierOf(options), [...policy.logs, ...policy.witnesses], checkpoint);
  const content = new ContentReader(checkpoint.origin, options);
  const isWhole = await readLog(read, { checkpoint, tree, earlier, content, options });
  const { root, tiles } = await tree.finish();
  note('root', root);
  if (!isWhole || !tiles) return finish({ log });
  note('extends', await earlier.finish(read));
  note('tiles', tiles);
  for (const [id, found] of content.findings()) note(id, found);
  note('charter-witnesses', content.charterWitnesses(text, policy.logs));
  return finish({ log, consortium: content.consortium, operatorKey: content.operatorKey, totals: content.totals() });
}

interface LogReaders {
  readonly checkpoint: OpenedCheckpoint;
  readonly tree: LogCheck;
  readonly earlier: EarlierCheck;
  readonly content: ContentReader;
  readonly options: VerifyOptions;
}

/** @returns whether all entries could be read */
async function readLog(read: ReadFile, { checkpoint: { size }, tree, earlier, content, options }: LogReaders): Promise<boolean> {
  const threads = options.threads ?? Math.min(MOST_THREADS, availableParallelism());
  let entries = 0;
  let bundles = 0n;
  for await (const bundle of checkedBundles(read, tilesOfLevel('entries', size), { threads, size })) {
    earlier.follow(entries, bundle.leaves, (hashes) => tree.rootWith(hashes));
    bundles++;
    if (!(await tree.append(bundle))) {
      await tree.appendTilesOnly(bundlesFrom(bundles, size));
      return false;
    }
    content.take(bundle);
    entries += bundle.entries;
    options.onProgress?.(entries, Number(size));
  }
  return true;
}

async function checkCheckpoint(
  read: ReadFile,
  policy: WitnessPolicy,
): Promise<{ finding: Finding; text: Uint8Array; checkpoint?: OpenedCheckpoint }> {
  const text = await read(CHECKPOINT_PATH);
  const unchecked = (detail: string) => ({ finding: { detail, unchecked: true }, text: text ?? new Uint8Array() });
  if (!text) return unchecked(`there is no file "${CHECKPOINT_PATH}"; is this an exported ledger?`);
  try {
    const checkpoint = openCheckpoint(text, [...policy.logs, ...policy.witnesses]);
    if (checkpoint.size > MAX_ENTRIES) return unchecked(`it is over ${checkpoint.size} entries; this command reads at most ${MAX_ENTRIES}`);
    return { finding: { detail: `${checkpoint.size} entries of ${checkpoint.origin}` }, text, checkpoint };
  } catch (error) {
    const problems = [{ where: CHECKPOINT_PATH, problem: (error as Error).message }];
    return { finding: { detail: 'the checkpoint is refused', problems }, text };
  }
}

async function ownPolicy(read: ReadFile): Promise<WitnessPolicy | undefined> {
  const bytes = await read(POLICY_PATH);
  try {
    return bytes && parsePolicy(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function earlierOf({ earlier }: VerifyOptions): readonly EarlierCheckpoint[] {
  if (earlier === undefined) return [];
  return Array.isArray(earlier) ? (earlier as readonly EarlierCheckpoint[]) : [earlier as EarlierCheckpoint];
}
