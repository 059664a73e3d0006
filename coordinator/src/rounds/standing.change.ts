import type { RunChange } from '../runs/run.change.js';
import type { RunView } from '../runs/run.view.js';
import type { RoundRow } from './round.entity.js';
import { FAILURES_UNTIL_SET_ASIDE, failuresText, setAsideSites } from './standing.rule.js';

/** For whoever watches: a decided sum may set sites aside, and bring others back. */
export async function noteStandings(change: RunChange, view: RunView, decided: RoundRow): Promise<void> {
  const { sum } = decided;
  const before = setAsideSites(view);
  const after = setAsideSites({ ...view, rounds: view.rounds.map((round) => (round.sum === sum ? decided : round)) });
  for (const [site, failures] of after)
    if (!before.has(site)) {
      const text = `${site} is set aside: ${FAILURES_UNTIL_SET_ASIDE} sums in a row waited for it in vain (${failuresText(failures)}). It is asked as before, and back with the first sum that it is in time for.`;
      await change.note('note', { site, sum, text });
    }
  for (const site of before.keys())
    if (!after.has(site)) await change.note('note', { site, sum, text: `${site} is back: it was in time while it was set aside.` });
}
