import { join } from 'node:path';
import { signStatement } from '@coferment/consortium';
import { generateIdentity } from '@coferment/crypto';
import { expect, it } from 'vitest';
import { AgentError } from '../agent.error.js';
import { Journal } from '../journal/journal.js';
import { SharedBoard } from '../rounds/members.fixture.js';
import { SentRecorder } from './sent.recorder.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

it('what a coordinator took and answered with an error stands among what has left', async () => {
  const journal = Journal.open(join(temporaryFolder('agent-sent'), 'journal.sqlite'));
  const { activity } = journal;
  const port = new SharedBoard().portOf('a');
  const seen: string[] = [];
  const told: string[] = [];
  port.submitStatement = () => {
    seen.push(...activity.recentlySent(9).map(({ outcome }) => outcome));
    return seen.length < 3 ? Promise.reject(new AgentError('coordinator-refused', 'taken, and refused')) : Promise.resolve();
  };
  const recorder = new SentRecorder(port, (item) => {
    const { id, isNew } = activity.sending(item);
    if (isNew) told.push(item.name);
    return (outcome) => activity.noteOutcome(id, outcome);
  });
  const run = 'r1-0123456789abcdef';
  const act = signStatement('sealing-key', { consortium: 'acme', run, epoch: 1, site: 'a', key: 'a'.repeat(2432) }, generateIdentity());
  await expect(recorder.submitStatement(act)).rejects.toThrow(/taken/);
  expect(activity.recentlySent(9)).toMatchObject([{ name: 'sealing-key', run, outcome: 'coordinator-refused' }]);
  await expect(recorder.submitStatement(act)).rejects.toThrow(/taken/);
  expect(activity.sentTotals()).toMatchObject([{ name: 'sealing-key', objects: 1 }]);
  await recorder.submitStatement(act);
  expect(activity.recentlySent(9)).toMatchObject([{ outcome: 'accepted' }]);
  expect(seen[0]).toBe('unanswered');
  expect(told).toEqual(['sealing-key']);
  journal.close();
});
