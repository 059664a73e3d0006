import { AgentError } from '../agent.error.js';
import { eraseRunSecrets } from '../keys/epoch.secrets.js';
import type { SiteContext } from './site.context.js';

/** Takes this site out of a run for good. Its keys serve nothing any more and are erased; a run that is closed stays closed. */
export function leaveRun(context: SiteContext, run: string, reason: string): void {
  context.nonces.wipe(run);
  if (context.journal.runs.get(run)?.state === 'closed') return;
  context.journal.runs.setState(run, 'dead', reason);
  eraseRunSecrets(context.store, run);
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
