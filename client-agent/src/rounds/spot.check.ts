import { randomInt } from 'node:crypto';
import type { Statement } from '@coferment/consortium';
import {
  type AggregationParameters,
  type BlockSpan,
  bytesToHex,
  ciphertextBlockSpan,
  combine,
  CryptoError,
  decryptionShareBlocks,
  merkleRoot,
  parameterSet,
  sha256Hex,
  shareBlockSpan,
  sumKeyShares,
} from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import { bindFreeze, type CheckedFreeze } from './opening.handlers.js';
import { leaveRun } from './run.departure.js';
import type { EpochFacts } from './run.facts.js';
import type { SiteContext } from './site.context.js';

/*
 * A coordinator that may publish any sum moves the model a little, calls it new, and gets a second sum over fewer sites with the same updates in it: the
 * difference is one site's. So before it applies a sum, every site opens some of its blocks again (secure-aggregation.md R8).
 */

/**
 * Each set of three blocks is drawn equally often, so of B blocks with b false ones a site misses all with probability C(B − b, 3) / C(B, 3), that is
 * (1 − b/B)(1 − b/(B − 1))(1 − b/(B − 2)), exactly: with a tenth of 100 false it finds some in 27 of 100 cases, each round; up to three blocks, always.
 */
const DRAWN_BLOCKS = 3;

/** Blocks to look at, in order: all of them when there are few. From the operating system, because who knows the draw can publish around it. */
export function drawBlocks(blocks: number): number[] {
  if (blocks <= DRAWN_BLOCKS) return Array.from({ length: blocks }, (_, block) => block);
  const drawn = new Set<number>();
  while (drawn.size < DRAWN_BLOCKS) drawn.add(randomInt(blocks));
  return [...drawn].toSorted((a, b) => a - b);
}

/** An upload or a decryption share, as the site that made it signed for it. */
export interface SignedObject {
  /** For messages: `the upload of "a"`. */
  what: string;
  object: string;
  merkleRoot: string;
  blocks: number;
}

/** @throws AgentError 'sum-unverified' unless these are all leaves of the tree whose root was signed */
export function requireSignedDigests({ what, merkleRoot: root, blocks }: SignedObject, digests: readonly Uint8Array[]): void {
  if (digests.length !== blocks) throw unverified(`${what} has ${digests.length} block digests; its site signed for ${blocks}`);
  const found = merkleRoot(digests);
  if (found !== root) throw unverified(`the block digests of ${what} have the Merkle root ${found}; its site signed ${root}`);
}

/** @throws AgentError 'sum-unverified' */
export function requireDigest({ what }: SignedObject, digest: Uint8Array, bytes: Uint8Array): void {
  const found = sha256Hex(bytes);
  if (found !== bytesToHex(digest)) throw unverified(`the bytes of ${what} have SHA-256 ${found}, not ${bytesToHex(digest)} as signed`);
}

/** One block of everything that a sum was opened from. */
export interface OpenedBlock {
  parameters: AggregationParameters;
  /** One for each counted site. */
  uploads: readonly Uint8Array[];
  /** By position of the key holder, from 0. */
  shares: ReadonlyMap<number, Uint8Array>;
  /** What was published as the sum of this block: its coefficients in use. */
  published: BigUint64Array;
}

/**
 * Opens the block again as the coordinator had to: with more than τ shares, also without each of them. A coordinator that has done so publishes nothing that
 * this refuses, whatever a key holder sent it.
 * @throws AgentError 'sum-unverified' or CryptoError when that is not what was published
 */
export function requireSum({ parameters, uploads, shares, published }: OpenedBlock): void {
  const coefficients = published.length;
  const opened = combine({ parameters, sum: uploads, coefficients, addends: uploads.length, shares });
  if (!opened.ok) throw unverified(`its uploads and shares do not open (${opened.reason})`);
  const wrong = opened.coefficients.findIndex((coefficient, index) => coefficient !== published[index]);
  if (wrong >= 0)
    throw unverified(
      `coefficient ${wrong} was published as ${published[wrong]}; its uploads and shares open to ${opened.coefficients[wrong]}`,
    );
}

/** A sum as the operator has published it, its signatures checked. */
export interface PublishedSum {
  /** Digest of the operator's signed aggregate. */
  aggregate: string;
  shares: readonly Statement<'share'>[];
  coefficients: BigUint64Array;
}

/**
 * This key holder's own share of one block, when the coordinator has not named it. Exactly τ shares open to whatever one of their holders wants, together with
 * the coordinator; with this one they do not. It is computed as for a release, over a set that is certified and, like there, bound in the journal first; it
 * leaves this site no more than a release would. Undefined for whoever holds no key, or has erased it.
 */
function ownShareOf(
  context: SiteContext,
  facts: EpochFacts,
  { sum, k, frozen }: CheckedFreeze,
  named: readonly Statement<'share'>[],
): ((block: number) => Uint8Array) | undefined {
  const { site, journal } = context;
  const { run, epoch } = facts.position;
  const { parameters, holderIndex, secrets } = facts;
  if (holderIndex < 0 || named.some(({ predicate }) => predicate.site === site)) return undefined;
  const isOver = facts.run.state !== 'approved' || epoch < journal.runs.newestAgreed(run);
  if (isOver || journal.ownActs.whyDead(run, epoch) !== undefined) return undefined;
  const { kind } = sum.position;
  const { coefficients } = sum;
  return (block) => {
    const keyShareSum = sumKeyShares(frozen.sites.map((counted) => secrets.keyShare(counted)));
    const noiseKey = secrets.noiseKey();
    const release = { parameters, k, setDigest: frozen.set, kind, holder: site, holderIndex, keyShareSum, noiseKey, coefficients };
    const share = decryptionShareBlocks({ ...release, from: block, to: block + 1 });
    keyShareSum.fill(0);
    noiseKey.fill(0);
    return share;
  };
}

/**
 * Fetches the drawn blocks, one of every upload and share at a time, and opens them again. A failure takes this site out of the run: nothing of the sum is
 * applied, and nothing more is signed, encrypted or opened. An unreachable coordinator is no failure: the same draw is tried again.
 * Confirm sums are not fetched: every value of them is known and compared.
 * @throws AgentError 'sum-unverified'
 */
export async function spotCheck(context: SiteContext, facts: EpochFacts, checked: CheckedFreeze, published: PublishedSum): Promise<void> {
  const { sum, frozen } = checked;
  const { run, kind, sum: number } = sum.name;
  if (kind === 'confirm') return;
  const ownShare = ownShareOf(context, facts, checked, published.shares);
  if (ownShare !== undefined) bindFreeze(context, checked);
  const uploads = frozen.contributions.map(({ predicate }) => ({ ...predicate, what: `the upload of "${predicate.site}"` }));
  const shares = published.shares.map(({ predicate }) => ({ ...predicate, what: `the decryption share of "${predicate.site}"` }));
  let looking = 'before the first block was drawn';
  try {
    const drawn = context.journal.checks.drawOnce(run, number, published.aggregate, () => drawBlocks(sum.blocks));
    const leaves = new Map<SignedObject, Uint8Array[]>();
    for (const signed of [...uploads, ...shares]) {
      looking = `before block ${drawn.join(', ')} could be opened`;
      if (signed.blocks !== sum.blocks)
        throw unverified(`${signed.what} was signed with ${signed.blocks} blocks; this sum has ${sum.blocks}`);
      leaves.set(signed, await signedLeaves(context, signed, drawn));
    }
    const fetch = async (signed: SignedObject, index: number, span: BlockSpan): Promise<Uint8Array> => {
      const bytes = await context.port.downloadPart(signed.object, span.offset, span.length);
      requireDigest(signed, leaves.get(signed)![index]!, bytes);
      return bytes;
    };
    const { parameters, roster } = facts;
    for (const [index, block] of drawn.entries()) {
      looking = `in block ${block}`;
      const ofUpload = ciphertextBlockSpan(block, sum.coefficients, parameters);
      const ofShare = shareBlockSpan(block, sum.coefficients, parameters);
      const opened = { uploads: [] as Uint8Array[], shares: new Map<number, Uint8Array>() };
      for (const upload of uploads) opened.uploads.push(await fetch(upload, index, ofUpload));
      for (const share of shares) {
        const position = roster.keyHolders.findIndex((holder) => holder.site === share.site);
        opened.shares.set(position, await fetch(share, index, ofShare));
      }
      if (ownShare !== undefined) {
        looking = `in block ${block}, beside this key holder's own share`;
        opened.shares.set(facts.holderIndex, ownShare(block));
      }
      const start = block * parameterSet(parameters.set).degree;
      requireSum({ parameters, ...opened, published: published.coefficients.subarray(start, start + ofUpload.coefficients) });
    }
  } catch (error) {
    const found = finding(error);
    if (found === undefined) throw error;
    const reason =
      `the spot check of sum ${number} (${kind}) failed ${looking}: ${found} The sum was not applied. ` +
      'Keep this data folder, tell the other sites, and have the ledger and the stored objects audited before a new run.';
    leaveRun(context, run, reason);
    throw new AgentError('sum-unverified', `This site leaves ${run}: ${reason}`, { cause: error });
  }
}

/** Of the digests of all blocks, once they are seen to be the signed ones, those of the drawn blocks. */
async function signedLeaves(context: SiteContext, signed: SignedObject, drawn: readonly number[]): Promise<Uint8Array[]> {
  const digests = await context.port.blockDigests(signed.object, signed.blocks);
  requireSignedDigests(signed, digests);
  return drawn.map((block) => digests[block]!);
}

/** What speaks against the sum itself; undefined for failures of the line, of this machine or of the site's membership, which say nothing about it. */
function finding(error: unknown): string | undefined {
  if (error instanceof CoordinatorRefusal) return ['unknown-object', 'wrong-offset'].includes(error.refusal) ? error.message : undefined;
  if (error instanceof CryptoError) return error.message;
  if (!(error instanceof AgentError)) return undefined;
  return ['sum-unverified', 'object-mismatch', 'sum-changed'].includes(error.code) ? error.message : undefined;
}

function unverified(reason: string): AgentError {
  return new AgentError('sum-unverified', `${reason}.`);
}
