import {
  both,
  cannot,
  deadlinePasses,
  epochIs,
  leaves,
  moment,
  opensNewSet,
  pauses,
  renew,
  resumes,
  returns,
  runIs,
  sumIs,
} from './scenario.steps.js';
import type { Moment } from './stopped.consortium.js';

const [holder, contributor] = ['birch', 'dogwood'];
const stuck = runIs('stuck');
const evaluation = (epoch: number, state: Parameters<typeof sumIs>[1]) => both(epochIs(epoch), sumIs('evaluate', state));

/** A sum lacks those whom it needs, in every state in which it can: it stands still, and goes on in each of its ways. */
export const standstills: Moment[] = [
  moment(sumIs('statistics', 'training'), pauses),
  moment(runIs('paused'), resumes),
  // Whoever is missing comes back.
  moment(sumIs('update', 'attesting'), leaves('alder', 'cedar'), deadlinePasses),
  moment(stuck, returns('alder', 'cedar')),
  moment(sumIs('update', 'decrypting'), leaves(holder), deadlinePasses),
  moment(stuck, returns(holder)),
  // From here on the set of the evaluation is fixed.
  moment(sumIs('evaluate', 'attesting'), renew()),
  moment(evaluation(2, 'training'), leaves(contributor), deadlinePasses),
  moment(stuck, returns(contributor)),
  moment(evaluation(2, 'uploading'), leaves(contributor), deadlinePasses),
  moment(stuck, renew(), returns(contributor)),
  moment(evaluation(3, 'uploading'), leaves(contributor)),
  moment(evaluation(3, 'ready'), deadlinePasses),
  // Whoever is missing is there only to approve that it goes on without it.
  moment(stuck, returns(contributor), cannot(contributor, 'submitNonce'), opensNewSet('alder', 'birch', 'cedar')),
  moment(runIs('running'), returns(contributor)),
  moment(evaluation(3, 'decrypting'), leaves(holder), deadlinePasses),
  moment(stuck, returns(holder), cannot(holder, 'upload'), opensNewSet('alder', 'birch', 'dogwood')),
  moment(runIs('running'), returns(holder)),
];
