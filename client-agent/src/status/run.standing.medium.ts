import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../journal/journal.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { requireOpen, standingOf } from './run.standing.js';

const PLAN = 'a'.repeat(64);
const RUN = `r1-${'a'.repeat(16)}`;
const DEADLINE = Date.UTC(2030, 0, 2, 3, 4, 5);
let journal: Journal;

beforeEach(() => {
  journal = Journal.open(join(temporaryFolder('agent-standing'), 'journal.sqlite'));
  journal.runs.announce(RUN, PLAN, 1, ['a', 'b', 'c']);
});

const see = (view: object) =>
  journal.activity.see(RUN, { run: RUN, state: 'awaiting-approval', deadlineMs: 0, withoutThisSite: false, ...view });
const standing = () => standingOf(journal, journal.runs.get(RUN)!);

describe('where a site stands in a run', () => {
  it('waits for its people, until the deadline where there is one', () => {
    expect(standing()).toEqual({ standing: 'waits for the approval of this site', isOver: false, approveByMs: null });
    see({ deadlineMs: DEADLINE });
    expect(standing()).toEqual({
      standing: 'waits for the approval of this site, at most until 2030-01-02 03:04:05 UTC',
      isOver: false,
      approveByMs: DEADLINE,
    });
  });

  it('shows no deadline of a round as one for approvals', () => {
    see({ state: 'running', deadlineMs: DEADLINE });
    expect(standing().approveByMs).toBeNull();
  });

  it.each(['asked', 'approved'] as const)('is over for a site that missed it, when its people had %s', (state) => {
    journal.runs.setState(RUN, state);
    see({ state: 'key-ceremony', withoutThisSite: true });
    expect(standing()).toMatchObject({
      isOver: true,
      standing: expect.stringMatching(/had not approved by the deadline, and the run goes on without it/),
    });
    expect(() => requireOpen(journal, journal.runs.get(RUN))).toThrow(expect.objectContaining({ code: 'run-closed' }));
  });

  it('is over when the operator has ended it, also before this site approved', () => {
    journal.runs.setState(RUN, 'closed', 'aborted');
    expect(standing()).toMatchObject({ isOver: true, standing: 'over (aborted)' });
    expect(() => requireOpen(journal, journal.runs.get(RUN))).toThrow(/Run 1 of plan a+ is over \(aborted\)\. Nothing was recorded/);
  });

  it('is open for a site that takes part', () => {
    journal.runs.setState(RUN, 'approved');
    see({ state: 'running' });
    expect(standing()).toMatchObject({ isOver: false, standing: 'approved' });
    expect(() => requireOpen(journal, journal.runs.get(RUN))).not.toThrow();
    expect(() => requireOpen(journal, undefined)).not.toThrow();
  });
});
