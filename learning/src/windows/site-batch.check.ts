import { LearningError } from '../errors/learning.error.js';
import type { SiteBatch } from './site-batch.js';

const refuse = (batch: string, problem: string): never => {
  throw new LearningError('malformed-batch', `Batch "${batch}": ${problem}. Correct the import of this batch; nothing of it was used.`);
};

/** Refuses records that windowing would silently misread: unsorted or repeated times, lengths that differ, values that are no numbers. */
export function checkBatches(batches: readonly SiteBatch[]): void {
  const ids = new Set<string>();
  for (const batch of batches) {
    if (batch.id === '') refuse(batch.id, 'its id is empty');
    if (ids.has(batch.id)) refuse(batch.id, 'two batches have this id, so a holdout could not keep them apart');
    ids.add(batch.id);
    for (const [name, { timeH, value }] of Object.entries(batch.series)) {
      if (timeH.length !== value.length) refuse(batch.id, `${name} has ${timeH.length} times and ${value.length} values`);
      for (let index = 0; index < timeH.length; index++) {
        const at = timeH[index]!;
        if (!Number.isFinite(at)) refuse(batch.id, `${name} has the time ${at} at record ${index}`);
        if (index > 0 && at <= timeH[index - 1]!) refuse(batch.id, `${name} goes from ${timeH[index - 1]} h to ${at} h at record ${index}`);
        if (!Number.isFinite(value[index]!)) refuse(batch.id, `${name} is ${value[index]} at ${at} h; leave out what was not recorded`);
      }
    }
    batch.samples.forEach((sample, index) => {
      const before = batch.samples[index - 1];
      if (!Number.isFinite(sample.timeH)) refuse(batch.id, `sample ${index} has the time ${sample.timeH}`);
      if (before !== undefined && sample.timeH <= before.timeH) {
        refuse(batch.id, `sample ${index} at ${sample.timeH} h does not come after the one at ${before.timeH} h`);
      }
      for (const [name, value] of Object.entries(sample.values)) {
        if (!Number.isFinite(value))
          refuse(batch.id, `${name} of the sample at ${sample.timeH} h is ${value}; leave out what was not measured`);
      }
    });
    for (const [phase, startH] of Object.entries(batch.phaseStarts)) {
      if (!Number.isFinite(startH)) refuse(batch.id, `phase ${phase} starts at ${startH}`);
    }
  }
}
