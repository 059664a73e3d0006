import { type AggregationParameters, judgeParity, merkleRoot, parameterSet, splitIntoRanges } from '@coferment/crypto';
import { DamagedFile } from './block.files.js';
import type { Difference, Malformed, OpenedRange, OpeningTask, SumFile } from './range.opening.js';

const DIGEST_BYTES = 32;
/** Blocks a task, so that a large sum keeps all threads busy to its end. */
const MOST_BLOCKS_A_TASK = 32;

/** A stored upload or share and what its site signed for it. */
export interface SignedFile {
  path: string;
  merkleRoot: string;
}

export interface StoredSum<File extends SignedFile = SignedFile> {
  parameters: AggregationParameters;
  /** Coefficients in use in every vector of the sum. */
  coefficients: number;
  /** One for each counted site. */
  uploads: readonly File[];
  /** By position of the key holder, from 0. */
  shares: ReadonlyMap<number, File>;
  sum: SumFile;
}

/**
 * 'parity': a share is wrong, and `wrong` gives the positions of the holders once enough shares have arrived. 'residual': the sum is not where honest
 * parties would put it. 'malformed': something that was signed is no upload or no share. Nothing of a written sum means anything then.
 */
export type StoredOpening =
  | { ok: true; difference: Difference | undefined }
  | { ok: false; reason: 'parity'; wrong: number[] }
  | { ok: false; reason: 'residual' }
  | ({ ok: false; reason: 'malformed' } & Malformed);

export interface OpeningHands {
  /** Opens a range of blocks, here or on another thread. */
  open: (task: OpeningTask) => Promise<OpenedRange>;
  /** How many ranges may be under way at once. */
  threads: number;
}

/**
 * R7 over files: the same answer, bit for bit, as `combine` over the whole vectors. Every byte that goes into the sum is compared with what its site signed.
 * @throws DamagedFile for an upload or share that is gone or is not what its site signed: nothing is known about the sum then
 */
export async function openStoredSum(stored: StoredSum, hands: OpeningHands): Promise<StoredOpening> {
  const { parameters, shares } = stored;
  const holders = [...shares.keys()];
  const opened = await openWith(stored, hands, holders, stored.sum);
  if (opened.malformed !== undefined) return { ok: false, reason: 'malformed', ...opened.malformed };
  const verdict = judgeParity({ parameters, holders, failedRelations: opened.failedRelations });
  if (verdict.consistent) return opened.complete ? { ok: true, difference: opened.difference } : { ok: false, reason: 'residual' };
  const { suspects } = verdict;
  if (suspects === undefined) return { ok: false, reason: 'parity', wrong: [] };
  // Liars that agree with each other are a consistent set too and would put the blame on an honest holder: the others must also open the sum.
  const trusted = holders.filter((holder) => !suspects.includes(holder));
  const { complete } = await openWith(stored, hands, trusted, null);
  return { ok: false, reason: 'parity', wrong: complete ? suspects : [] };
}

async function openWith(
  { parameters, coefficients, uploads, shares }: StoredSum,
  { open, threads }: OpeningHands,
  holders: readonly number[],
  sum: SumFile | null,
): Promise<Omit<OpenedRange, 'digests'>> {
  const files = [...uploads, ...holders.map((position) => shares.get(position)!)];
  const task = {
    parameters,
    coefficients,
    uploads: uploads.map(({ path }) => path),
    shares: holders.map((position) => ({ position, path: shares.get(position)!.path })),
    sum,
  };
  const blocks = Math.ceil(coefficients / parameterSet(parameters.set).degree);
  const ranges = splitIntoRanges(blocks, Math.min(MOST_BLOCKS_A_TASK, Math.ceil(blocks / threads)));
  const settled = await Promise.allSettled(ranges.map((range) => open({ ...task, range })));
  const parts = settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  for (const [index, file] of files.entries()) requireSigned(file, Buffer.concat(parts.map(({ digests }) => digests[index]!)));
  return {
    failedRelations: parts.flatMap(({ failedRelations }) => failedRelations),
    complete: parts.every(({ complete }) => complete),
    malformed: parts.find(({ malformed }) => malformed !== undefined)?.malformed,
    difference: parts.find(({ difference }) => difference !== undefined)?.difference,
  };
}

function requireSigned({ path, merkleRoot: signed }: SignedFile, digests: Buffer): void {
  const blocks = digests.length / DIGEST_BYTES;
  const leaves = Array.from({ length: blocks }, (_, block) => digests.subarray(block * DIGEST_BYTES, (block + 1) * DIGEST_BYTES));
  const found = merkleRoot(leaves);
  if (found !== signed) throw new DamagedFile(path, `its blocks have the Merkle root ${found}; its site signed ${signed}`);
}
