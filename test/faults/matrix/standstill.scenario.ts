import { cannot, deadlinePasses, leaves, moment, opensNewSet, pauses, renew, resumes, returns, runIs, sumIs } from './scenario.steps.js';
import type { Moment } from './stopped.consortium.js';

const [holder, contributor] = ['birch', 'dogwood'];
const stuck = runIs('stuck');
const update = (state: Parameters<typeof sumIs>[1], round?: number) => sumIs('update', state, round);

/** A sum lacks those whom it needs, in every state in which it can: it stands still, and goes on in each of its ways. */
export const standstills: Moment[] = [
  // Whoever is missing comes back.
  moment(sumIs('statistics', 'training'), pauses),
  moment(runIs('paused'), resumes),
  moment(sumIs('statistics', 'attesting'), leaves('alder', 'cedar'), deadlinePasses),
  moment(stuck, returns('alder', 'cedar')),
  moment(sumIs('statistics', 'decrypting'), leaves(holder), deadlinePasses),
  moment(stuck, returns(holder)),
  // A key holder is there only to approve that it goes on over another set, which is then a fixed one.
  moment(update('decrypting', 1), leaves(holder), deadlinePasses),
  moment(stuck, returns(holder), cannot(holder, 'upload'), opensNewSet('alder', 'birch', 'dogwood')),
  moment(update('training', 1), returns(holder), leaves(contributor), deadlinePasses),
  moment(stuck, returns(contributor)),
  moment(update('uploading', 1), leaves(contributor)),
  moment(update('ready', 1), deadlinePasses),
  moment(stuck, returns(contributor), cannot(contributor, 'submitNonce'), opensNewSet('alder', 'birch', 'cedar')),
  moment(update('uploading', 1), returns(contributor), leaves('alder'), deadlinePasses),
  moment(stuck, renew(), returns('alder')),
];
