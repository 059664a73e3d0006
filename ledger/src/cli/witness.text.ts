import { shownData } from '../report/index.js';
import type { FollowResult } from '../witness/follow.step.js';
import type { DeskAnswer } from '../witness/witness.desk.js';
import type { KeptEvidence } from '../witness/witness.store.js';

export interface WitnessStatus {
  readonly vkey: string;
  /** `size` is null where no checkpoint was seen yet. */
  readonly logs: readonly { readonly origin: string; readonly size: string | null }[];
  readonly evidence: readonly KeptEvidence[];
}

const SPLIT = 'SPLIT VIEW: the log has told two different things. Both halves are kept; see --status.\n';

export function answerText(given: DeskAnswer): string {
  const answer = shownData(given);
  switch (answer.kind) {
    case 'cosigned':
      return `cosigned ${answer.size} entries\n`;
    case 'conflict':
      return answer.isSplit ? SPLIT : `not cosigned: the last checkpoint here is over ${answer.size} entries\n`;
    case 'malformed':
    case 'unknown-origin':
    case 'not-signed':
    case 'unproven':
      return `not cosigned: ${answer.reason}\n`;
  }
}

export function followText(found: FollowResult): string {
  const result = shownData(found);
  const { origin } = result;
  switch (result.kind) {
    case 'cosigned':
      return `${origin}: cosigned ${result.size} entries, in ${result.file}\n`;
    case 'behind':
      return `${origin}: shows ${result.size} entries, and ${result.lastSize} were seen before: an old copy, or a log that hides its newest entries\n`;
    case 'split-view':
      return `${origin}: ${SPLIT}`;
    case 'refused':
      return `${origin}: ${answerText(result.answer)}`;
  }
}

export function statusText(status: WitnessStatus): string {
  const { vkey, logs, evidence } = shownData(status);
  const seen = logs.map(({ origin, size }) => `  ${origin}: ${size === null ? 'nothing seen yet' : `${size} entries`}`);
  const kept = evidence.map(
    ({ file, origin, verdict, reason }) => `  ${verdict === 'proved' ? 'PROVED' : 'open'} ${origin}: ${reason}\n    ${file}`,
  );
  return [
    `Witness ${vkey}`,
    'Logs:',
    ...(seen.length > 0 ? seen : ['  none; give one with --log <vkey>']),
    `Evidence of split views: ${evidence.length === 0 ? 'none' : ''}`.trimEnd(),
    ...kept,
    ...(kept.length > 0 ? ['Check a file, here or anywhere: coferment-audit evidence <file> --key <vkey>'] : []),
    '',
  ].join('\n');
}
