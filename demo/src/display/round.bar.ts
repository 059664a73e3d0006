import type { RoundView } from '../run/run.view.js';

const STAGES = ['training', 'ready', 'uploading', 'frozen', 'attesting', 'decrypting', 'applying', 'closed'] as const;
const WIDTH = 24;

/** What each stage of a round means to somebody who sees it for the first time. */
const STAGE_TEXT: Record<(typeof STAGES)[number], string> = {
  training: 'sites train',
  ready: 'sites announce their updates',
  uploading: 'encrypted updates arrive',
  frozen: 'the set of counted sites is fixed',
  attesting: 'sites sign the set',
  decrypting: 'key holders open the sum',
  applying: 'the sum becomes the next model',
  closed: 'done',
};

const REASON_TEXT: Readonly<Record<string, string>> = {
  late: 'late: no update by the deadline',
  dropped: 'dropped: announced an update and did not send it',
  refused: 'refused: declined this round',
  absent: 'absent: did not call in',
  'set-aside': 'set aside: five rounds in a row waited for it in vain',
};

export function stageText(state: string): string {
  return isStage(state) ? STAGE_TEXT[state] : state;
}

/** How far a round is, from sites that train to a sum that is applied. */
export function roundBar(state: string): string {
  const reached = isStage(state) ? STAGES.indexOf(state) : 0;
  const filled = Math.round((WIDTH * reached) / (STAGES.length - 1));
  return '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
}

export function roundName(round: RoundView, planned: number): string {
  switch (round.kind) {
    case 'confirm':
      return round.counted[0] === undefined ? 'key check' : `key of ${round.counted[0]}`;
    case 'statistics':
      return 'statistics';
    case 'evaluate':
      return 'last evaluation';
    default:
      return `round ${round.round}/${planned}`;
  }
}

export function exclusionText(round: RoundView): string[] {
  return round.excluded.map(({ site, reason }) => `${site} ${REASON_TEXT[reason] ?? reason}`);
}

function isStage(state: string): state is (typeof STAGES)[number] {
  return (STAGES as readonly string[]).includes(state);
}
