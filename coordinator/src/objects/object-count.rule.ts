import { CoordinatorError } from '../errors/index.js';
import type { RunView } from '../runs/run.view.js';
import type { StoredPurpose } from './object.entity.js';

/** A site makes each object once. One that has lost its folder, or half of a sum, may make it again. */
const TRIES = 3;

/**
 * How many whole objects of a purpose a site may store in a run, as far as the run has come. The sizes of objects are known beforehand, their digests are not: without
 * this a site could fill the disk with ever new vectors of the right size.
 */
export function mostObjects({ epoch, earlierEpochs, rounds }: RunView, purpose: Exclude<StoredPurpose, 'published'>): number {
  const epochs = [...earlierEpochs, epoch];
  const attempts = rounds.reduce((sum, { attempt }) => sum + attempt, 0);
  switch (purpose) {
    case 'dealing-masked':
      return TRIES * epochs.length;
    case 'dealing-box':
      return TRIES * epochs.reduce((sum, { roster }) => sum + roster.keyHolders.length, 0);
    case 'ciphertext':
    case 'decryption-share':
      return TRIES * attempts;
  }
}

/** @param stored whole objects of the site, purpose and run. @throws CoordinatorError 'too-many' */
export function requireFewObjects(view: RunView, site: string, purpose: Exclude<StoredPurpose, 'published'>, stored: number): void {
  const most = mostObjects(view, purpose);
  // Where nothing is due at all, the rule of sizes says so.
  if (most === 0 || stored < most) return;
  throw new CoordinatorError(
    'too-many',
    `"${site}" has stored ${stored} objects for ${purpose} in run ${view.run.run}, three for each that was due. Nothing was stored; restore the site's folder, or ask the operator.`,
  );
}
