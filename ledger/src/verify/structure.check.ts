import { type Statement, parseStatement } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import { type LedgerEntry, parseEntry } from '../entry/index.js';
import { CHECKPOINT_PATH, objectPath, payloadPath } from '../export/index.js';
import { type OpenedCheckpoint, openCheckpoint } from '../note/index.js';
import type { WitnessPolicy } from '../policy/index.js';
import { type ReadFile, compareTiles, readEntries } from '../tiles/index.js';
import { MerkleTree, leafHash } from '../tree/index.js';
import type { SignedStatement } from './enrolment.check.js';
import type { CheckProblem, Finding } from './verification.report.js';

// An export is somebody else's: nothing in it may make the auditor read without bound.
const MAX_ENTRIES = 5_000_000n;

const unchecked = (detail: string): Finding => ({ detail, unchecked: true });
const problem = (where: string, error: unknown): CheckProblem => ({ where, problem: (error as Error).message });

export async function checkCheckpoint(read: ReadFile, policy: WitnessPolicy): Promise<{ finding: Finding; checkpoint?: OpenedCheckpoint }> {
  const note = await read(CHECKPOINT_PATH);
  if (!note) return { finding: unchecked(`there is no file "${CHECKPOINT_PATH}"; is this an exported ledger?`) };
  try {
    const checkpoint = openCheckpoint(note, [...policy.logs, ...policy.witnesses]);
    if (checkpoint.size > MAX_ENTRIES) {
      return { finding: unchecked(`it is over ${checkpoint.size} entries; this command reads at most ${MAX_ENTRIES}`) };
    }
    return { finding: { detail: `${checkpoint.size} entries of ${checkpoint.origin}` }, checkpoint };
  } catch (error) {
    return { finding: { detail: 'the checkpoint is refused', problems: [problem(CHECKPOINT_PATH, error)] } };
  }
}

/** Witnesses make it hard to show two readers two logs; whether they are needed is the reader's policy. */
export function checkWitnesses(policy: WitnessPolicy, checkpoint: OpenedCheckpoint): Finding {
  const cosigned = checkpoint.note.verifiedBy.filter(({ kind }) => kind === 'witness').map(({ name }) => name);
  const detail = cosigned.length > 0 ? `cosigned by ${cosigned.join(', ')}` : 'no known witness has cosigned';
  if (policy.quorum === undefined)
    return { detail: `${detail}; no witnesses are asked for`, unchecked: cosigned.length === 0, optional: true };
  if (policy.isMetBy(checkpoint.note.verifiedBy)) return { detail: `${detail}: quorum "${policy.quorum}" is met` };
  return { detail, problems: [{ where: CHECKPOINT_PATH, problem: `quorum "${policy.quorum}" is not met: ${detail}` }] };
}

/** @returns the tree that the entries really make, whether or not the checkpoint agrees */
export async function checkRoot(
  read: ReadFile,
  checkpoint: OpenedCheckpoint,
): Promise<{ finding: Finding; entries?: Uint8Array[]; tree?: MerkleTree }> {
  let entries: Uint8Array[];
  try {
    entries = await readEntries(read, checkpoint.size);
  } catch (error) {
    return { finding: { detail: 'the entries cannot be read', problems: [problem('tile/entries', error)] } };
  }
  const tree = new MerkleTree(entries.map(leafHash));
  if (Buffer.compare(tree.root(), checkpoint.root) === 0) return { finding: { detail: `${entries.length} entries` }, entries, tree };
  const [found, signed] = [tree.root(), checkpoint.root].map((root) => Buffer.from(root).toString('hex'));
  const finding = {
    detail: 'entries were changed',
    problems: [{ where: 'tile/entries', problem: `they hash to ${found}, the checkpoint says ${signed}` }],
  };
  return { finding, entries, tree };
}

/** With an earlier checkpoint from another source: the log has neither dropped nor rewritten what it had then. */
export function checkExtends(earlier: OpenedCheckpoint | undefined, tree: MerkleTree, checkpoint: OpenedCheckpoint): Finding {
  if (!earlier) return { detail: 'no earlier checkpoint was given', unchecked: true, optional: true };
  const where = 'earlier checkpoint';
  const detail = `from ${earlier.size} to ${checkpoint.size} entries`;
  if (earlier.origin !== checkpoint.origin) return { detail, problems: [{ where, problem: `it is of another log, "${earlier.origin}"` }] };
  if (earlier.size > tree.size)
    return { detail, problems: [{ where, problem: `it had ${earlier.size} entries, this export has ${tree.size}` }] };
  if (Buffer.compare(tree.root(earlier.size), earlier.root) === 0) return { detail };
  return {
    detail,
    problems: [{ where, problem: `the first ${earlier.size} entries are not those that it committed to: the log was forked or rewritten` }],
  };
}

export async function checkTiles(read: ReadFile, tree: MerkleTree): Promise<Finding> {
  const problems = await compareTiles(read, tree);
  return { detail: `tiles of ${tree.size} leaves`, problems: problems.map(({ path, problem: text }) => ({ where: path, problem: text })) };
}

export function checkEntries(entries: readonly Uint8Array[]): { finding: Finding; parsed: { index: number; entry: LedgerEntry }[] } {
  const problems: CheckProblem[] = [];
  const parsed: { index: number; entry: LedgerEntry }[] = [];
  for (const [index, bytes] of entries.entries()) {
    try {
      parsed.push({ index, entry: parseEntry(bytes) });
    } catch (error) {
      problems.push(problem(`entry ${index}`, error));
    }
  }
  return { finding: { detail: `${entries.length} entries`, problems }, parsed };
}

export async function checkPayloads(
  read: ReadFile,
  parsed: readonly { index: number; entry: LedgerEntry }[],
): Promise<{ finding: Finding; statements: SignedStatement[] }> {
  const problems: CheckProblem[] = [];
  const statements: SignedStatement[] = [];
  for (const { index, entry } of parsed) {
    const path = payloadPath(entry.payloadHash);
    const where = `entry ${index} (${path})`;
    const payload = await read(path);
    const found = payload && sha256Hex(payload);
    if (!payload) problems.push({ where, problem: 'the payload is missing' });
    else if (found !== entry.payloadHash) problems.push({ where, problem: `the payload was changed: it hashes to ${found}` });
    else {
      try {
        statements.push({ index, entry, payload, statement: parseStatement(payload) });
      } catch (error) {
        problems.push(problem(where, error));
      }
    }
  }
  return { finding: { detail: `${parsed.length} statements`, problems }, statements };
}

/** Objects (ciphertexts, shares, sums) may stay behind for size; those that are there must be the ones that were signed. */
export async function checkObjects(read: ReadFile, statements: readonly SignedStatement[]): Promise<Finding> {
  const digests = new Set(statements.flatMap(({ statement }) => objectsOf(statement)));
  const problems: CheckProblem[] = [];
  let present = 0;
  for (const digest of digests) {
    const object = await read(objectPath(digest));
    if (!object) continue;
    present++;
    if (sha256Hex(object) !== digest) problems.push({ where: objectPath(digest), problem: `it hashes to ${sha256Hex(object)}` });
  }
  return {
    detail: `${present} of the ${digests.size} objects that statements name are in the export`,
    problems,
    unchecked: present === 0,
    optional: true,
  };
}

/** SHA-256 of every stored object that a statement refers to. */
export function objectsOf({ name, predicate }: Statement): string[] {
  if (name === 'plan-published') return [predicate.plan];
  if (name === 'dealing') return [predicate.masked, ...predicate.boxes.map(({ object }) => object)];
  if (name === 'key-epoch') return [predicate.roster];
  if (name === 'contribution' || name === 'share') return [predicate.object];
  return name === 'aggregate' ? [predicate.sumObject] : [];
}
