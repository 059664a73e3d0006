import { eraseEpochSecrets, eraseRunSecrets } from '../keys/epoch.secrets.js';
import type { SiteContext } from './site.context.js';

type ForgettingContext = Pick<SiteContext, 'store' | 'objects' | 'journal'>;

/** Takes this site out of a run for good. Its keys serve nothing any more and are erased; a run that is closed stays closed. */
export function leaveRun(context: SiteContext, run: string, reason: string): void {
  context.nonces.wipe(run);
  if (context.journal.runs.get(run)?.state === 'closed') return;
  context.journal.runs.setState(run, 'dead', reason);
  forgetRun(context, run);
}

/** Takes this site out of one key epoch for good: it signs, encrypts and opens nothing more in it. The run may go on for it in a later one. */
export function leaveEpoch(context: SiteContext, run: string, epoch: number, reason: string): void {
  context.nonces.wipe(run);
  context.journal.ownActs.killEpoch({ run, epoch, reason });
  forgetEpoch(context, run, epoch);
}

/** Says what happened and what to do. */
export function deadText(run: string, epoch: number, reason: string): string {
  return `This site takes no further part in key epoch ${epoch} of ${run}: ${reason} Ask the operator for a new key epoch (coferment epochs renew ${run}).`;
}

/** Erases what a run that is over has left at this site: its keys, the objects it sent, and its vectors unless another run of the plan goes on. */
export function forgetRun({ store, objects, journal }: ForgettingContext, run: string): void {
  eraseRunSecrets(store, run);
  noteErased(journal, run, null);
  for (const object of journal.statements.objects(run)) objects.remove(object);
  const plan = journal.runs.get(run)?.plan;
  const goesOn = journal.runs.all().some((other) => other.run !== run && other.plan === plan && other.state === 'approved');
  if (plan === undefined || goesOn) return;
  journal.rounds.eraseVectors(plan);
  journal.emptyLog();
}

/** Erases the keys of one epoch and the objects this site sent in it. Vectors stay: an unfinished sum goes on with them in the next epoch. */
function forgetEpoch({ store, objects, journal }: ForgettingContext, run: string, epoch: number): void {
  eraseEpochSecrets(store, run, epoch);
  noteErased(journal, run, epoch);
  for (const object of journal.statements.objects(run, { epoch, e: journal.runs.epoch(run, epoch)?.e ?? null })) objects.remove(object);
}

/** Once: erasing is repeated at every start, because a power cut may have cut it off. */
function noteErased({ record }: SiteContext['journal'], run: string, epoch: number | null): void {
  if (!record.saysErased(run, epoch)) record.append({ kind: 'keys-erased', run, epoch });
}

/** For a site that has agreed on a key epoch: the earlier ones of the run are over (R6). */
export function forgetEpochsBefore(context: ForgettingContext, run: string, epoch: number): void {
  // Also one whose roster was never approved here: a sealing key was drawn for it.
  for (let earlier = 1; earlier < epoch; earlier++) forgetEpoch(context, run, earlier);
}

/** For the start of the agent: the erasing of a run or an epoch may have been cut off by a power cut. */
export function forgetEndedRuns(context: ForgettingContext): void {
  const { runs, ownActs } = context.journal;
  for (const { run, epoch } of ownActs.deadEpochs()) forgetEpoch(context, run, epoch);
  for (const { run, state } of runs.all()) {
    if (state === 'closed' || state === 'dead') forgetRun(context, run);
    else forgetEpochsBefore(context, run, runs.newestAgreed(run));
  }
}
