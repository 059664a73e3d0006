import type { JudgedReceipt } from '@coferment/ledger';
import type { Receipt } from '../journal/receipts.repository.js';
import { stateText } from './stored.receipt.js';

const kinds = { confirm: 'key confirmation', statistics: 'statistics', update: 'update', evaluate: 'evaluation' } as const;

export function receiptLine(receipt: Receipt): string {
  const { run, sum, kind, round } = receipt;
  return `${run}  ${kind === 'update' ? `round ${round}, ` : ''}sum ${sum} (${kinds[kind]}): ${stateText(receipt)}`;
}

export function receiptJson(receipt: Receipt): object {
  const { run, sum, kind, round, attempt, contribution, needed, stored } = receipt;
  const state = stored === undefined ? (needed === undefined ? 'waiting' : 'waiting-for-witnesses') : 'stored';
  return { run, sum, kind, round, attempt, contribution, state, witnessesNeeded: needed ?? null };
}

/** What a stored receipt proves, for a person. */
export function judgedText(judged: JudgedReceipt): string {
  const { site, key, run, sum, kind, origin, index, size, witnesses, frozenBy, problems, verdict, contribution } = judged;
  return [
    `Sum ${sum} of run ${run} (${kinds[kind as Receipt['kind']]}): the contribution of site ${site} is in its frozen set.`,
    `  This site signed it with key ${key}; its digest is ${contribution}.`,
    `  It is entry ${index} of the ${size} entries of ledger ${origin}.`,
    `  The operator's freeze (entry ${frozenBy?.index ?? '?'}) counts it among ${frozenBy?.sites ?? '?'} sites.`,
    witnesses.length === 0
      ? '  No witness has cosigned it; the charter asks for none.'
      : `  ${witnesses.length} ${witnesses.length === 1 ? 'witness has' : 'witnesses have'} cosigned it: ${witnesses.join(', ')}.`,
    ...(verdict === 'holds' ? ['  It holds.'] : problems.map((problem) => `  ✗ ${problem}`)),
  ].join('\n');
}
