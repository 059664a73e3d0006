import { type Checkpoint, formatSignature, type OpenedCheckpoint, splitViewText, verifyConsistency } from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import type { Cosigned } from '../journal/cosigned.repository.js';
import type { KeptEvidence } from '../journal/evidence.repository.js';
import type { Journal } from '../journal/journal.js';
import { keepEvidence } from './split.evidence.js';

/** That the first `newSize` entries begin with the first `oldSize` (RFC 9162), from whoever has the log. Nothing that it gives is believed. */
export type AskProof = (oldSize: number, newSize: number) => Promise<readonly Uint8Array[]>;

export type Comparison =
  | { verdict: 'same-log'; ownSize: bigint; otherSize: bigint }
  | { verdict: 'split-view'; ownSize: bigint; otherSize: bigint; evidence: KeptEvidence };

/**
 * Compares another member's checkpoint with the last one that this site has cosigned: what no site alone can find is a log that shows each of them a history of
 * its own. A contradiction is kept as evidence.
 * @throws AgentError 'checkpoint-refused' while this site has cosigned none, and what `askProof` throws
 */
export async function compareCheckpoints(journal: Journal, other: OpenedCheckpoint, askProof: AskProof): Promise<Comparison> {
  const own = journal.cosigned.latest();
  if (own === undefined)
    throw new AgentError(
      'checkpoint-refused',
      'This site has cosigned no checkpoint yet, so there is nothing to compare with. Start the agent (coferment-agent serve) and try again.',
    );
  const sizes = { ownSize: own.size, otherSize: other.size };
  // Asked a second time: a spoiled answer must not look like a lie.
  if ((await agree(own, other, askProof)) || (await agree(own, other, askProof))) return { verdict: 'same-log', ...sizes };
  return { verdict: 'split-view', ...sizes, evidence: keep(journal, own, other) };
}

async function agree(one: Checkpoint, two: Checkpoint, askProof: AskProof): Promise<boolean> {
  const [older, newer] = one.size <= two.size ? [one, two] : [two, one];
  // Every log begins with the empty one.
  if (older.size === 0n && newer.size > 0n) return true;
  if (older.size === newer.size) return Buffer.compare(older.root, newer.root) === 0;
  const proof = await askProof(countOf(older), countOf(newer));
  return verifyConsistency({ olderSize: older.size, olderRoot: older.root, newerSize: newer.size, newerRoot: newer.root, proof });
}

function countOf({ size }: Checkpoint): number {
  if (size > BigInt(Number.MAX_SAFE_INTEGER))
    throw new AgentError(
      'checkpoint-refused',
      `A checkpoint over ${size} entries cannot be compared: no log has so many. Ask the operator.`,
    );
  return Number(size);
}

function keep(journal: Journal, own: Cosigned, other: OpenedCheckpoint): KeptEvidence {
  const { text, signatures } = other.note;
  const what =
    own.size === other.size
      ? `The log has signed two different lists of ${own.size} entries, one for this site and one for another member.`
      : `Another member's checkpoint over ${other.size} entries and this site's over ${own.size} are not of one log, as far as the coordinator can prove.`;
  const second = `${text}\n${signatures.map(formatSignature).join('')}`;
  return keepEvidence(
    { journal, tell: () => undefined },
    'comparison',
    what,
    splitViewText({ origin: own.origin, first: own.note, second }),
  );
}
