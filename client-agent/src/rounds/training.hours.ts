import { isTrainingTime, localTimeText, nextTrainingMs, scheduleText } from '../policy/training.schedule.js';
import type { EpochFacts } from './run.facts.js';
import { type Outcome, type SiteContext, waiting } from './site.context.js';
import type { SumFacts } from './sum.context.js';

/**
 * Whether a sum that would have to be trained for waits for the hours of this site; undefined where it goes on. What is trained already is given, encrypted and
 * signed at any time, and a training that has begun is finished.
 */
export function trainingLater(
  { policy, journal }: Pick<SiteContext, 'policy' | 'journal'>,
  { run }: Pick<EpochFacts, 'run'>,
  { name, modelIn }: Pick<SumFacts, 'name' | 'modelIn'>,
  nowMs: number,
): Outcome | undefined {
  const { schedule } = policy.current().policy;
  const { kind } = name;
  if (schedule === undefined || (kind !== 'update' && kind !== 'evaluate')) return undefined;
  if (isTrainingTime(schedule, nowMs) || journal.rounds.vector(run.plan, kind, modelIn) !== undefined) return undefined;
  const until = localTimeText(schedule, nextTrainingMs(schedule, nowMs));
  return waiting(`Training for sum ${name.sum} waits until ${until}. ${scheduleText(schedule)}.`, '');
}
