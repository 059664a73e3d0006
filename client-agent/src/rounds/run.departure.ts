import { AgentError } from '../agent.error.js';
import { eraseRunSecrets } from '../keys/epoch.secrets.js';
import type { SiteContext } from './site.context.js';

type ForgettingContext = Pick<SiteContext, 'store' | 'objects' | 'journal'>;

/** Takes this site out of a run for good. Its keys serve nothing any more and are erased; a run that is closed stays closed. */
export function leaveRun(context: SiteContext, run: string, reason: string): void {
  context.nonces.wipe(run);
  if (context.journal.runs.get(run)?.state === 'closed') return;
  context.journal.runs.setState(run, 'dead', reason);
  forgetRun(context, run);
}

/** Erases what a run that is over has left at this site: its keys, the objects it sent, and its vectors unless another run of the plan goes on. */
export function forgetRun({ store, objects, journal }: ForgettingContext, run: string): void {
  eraseRunSecrets(store, run);
  for (const object of journal.statements.objects(run)) objects.remove(object);
  const plan = journal.runs.get(run)?.plan;
  const goesOn = journal.runs.all().some((other) => other.run !== run && other.plan === plan && other.state === 'approved');
  if (plan !== undefined && !goesOn) journal.rounds.eraseVectors(plan);
}

/** For the start of the agent: the erasing of a run may have been cut off by a power cut. */
export function forgetEndedRuns(context: ForgettingContext): void {
  for (const { run, state } of context.journal.runs.all()) if (state === 'closed' || state === 'dead') forgetRun(context, run);
}

/**
 * A valid signature of this site that its journal does not know: the data folder was restored from a backup, and what else was signed or
 * released since then is unknown (R6). Only for a digest whose signature was verified; a forged one must not end a run.
 * @throws AgentError 'epoch-dead'
 */
export function requireRemembered(context: SiteContext, run: string, what: string, digest: string): void {
  if (context.journal.statements.has(digest)) return;
  const reason = `${what} was signed by this site, but its journal does not know it. The data folder was restored from a backup; a new run is needed.`;
  leaveRun(context, run, reason);
  throw new AgentError('epoch-dead', `This site takes no further part in ${run}: ${reason}`);
}
