import { bytesToHex } from '@coferment/crypto';
import { parseCheckpoint, parseNote, parseSplitView } from '@coferment/ledger';
import type { FoundBy, KeptEvidence } from '../journal/evidence.repository.js';
import type { Journal } from '../journal/journal.js';
import type { AgentEvent } from '../rounds/site.context.js';

/** Keeps evidence against the log and tells people, loudly and once. From here on this site signs nothing in any run. */
export function keepEvidence(
  { journal, tell }: { journal: Journal; tell: (event: AgentEvent) => void },
  foundBy: FoundBy,
  what: string,
  evidence: string,
): KeptEvidence {
  const { kept, isNew } = journal.evidence.keep(foundBy, what, evidence);
  if (isNew) tell({ event: 'split-view', id: kept.id, message: `${what} ${WHAT_TO_DO}` });
  return kept;
}

export const WHAT_TO_DO =
  'This site signs nothing in any run until a person here has decided. Keep a copy (coferment-agent ledger evidence --out DIR), compare with other members (coferment-agent ledger compare FILE), and ask the operator: a coordinator restored from a backup looks like this too. To go on: coferment-agent ledger evidence --dismiss ID --reason TEXT';

/** Why this site signs nothing now, and what people do about it; undefined when it may. */
export function whySigningStops({ journal }: { journal: Journal }): { reason: string; whatToDo: string } | undefined {
  const [first] = journal.evidence.undecided();
  if (first === undefined) return undefined;
  return { reason: `The log does not show everybody the same (evidence ${first.id}): ${first.what}`, whatToDo: WHAT_TO_DO };
}

/**
 * A person's decision that this site goes on. What the coordinator shows now counts from here on as the log, and is read from its beginning again: without that the
 * same contradiction would come with the next checkpoint. What only another member has shown changes nothing here.
 * @throws AgentError 'evidence-unknown'
 */
export function dismissEvidence(journal: Journal, id: number, reason: string): KeptEvidence {
  return journal.transaction(() => {
    const kept = journal.evidence.requireUndecided(id);
    const goesOn = kept.foundBy === 'checkpoint' ? parseSplitView(kept.evidence).second : undefined;
    if (goesOn === undefined) {
      journal.evidence.dismiss(id, reason, null);
    } else {
      const { size, root } = parseCheckpoint(parseNote(goesOn).text);
      journal.evidence.dismiss(id, reason, { size: size.toString(), root: bytesToHex(root) });
      journal.cosigned.goOnFrom(goesOn);
    }
    if (kept.foundBy !== 'comparison') journal.ownActs.moveTo({ entries: 0, lastEntry: '', subtrees: [] });
    return kept;
  });
}
