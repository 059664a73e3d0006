import { RunStatus } from '@coferment/proto';
import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { runStatus } from '../operator/run.status.js';
import { rosterStatus } from '../operator/roster.status.js';
import { SITES, give, storedRun } from '../testing/run-view.fixture.js';
import { rosterScreens } from './roster.commands.js';
import { addRuns } from './run.commands.js';
import { runListText, runText } from './run.text.js';

const DEADLINE = Date.UTC(2030, 0, 2, 3, 4, 5);
const waiting = runStatus(storedRun({ approveByMs: DEADLINE }));
const narrowed = runStatus(storedRun({ state: 'key-ceremony', sites: SITES.slice(0, 3), notApproved: ['zeta'], approveByMs: DEADLINE }));

describe('a run on the screen of its operator', () => {
  it('says until when it waits for approvals, and what happens then', () => {
    expect(waiting.approvalDeadlineMs).toBe(DEADLINE);
    expect(runText(waiting)).toMatch(/waits for alpha, beta, gamma, zeta, at most until 2030-01-02 03:04:05/);
    expect(runText(waiting)).toMatch(/what to do: .*goes on among those that have approved, or ends if they are too few/);
  });

  it('names who had not approved in time, and where its roster is compared', () => {
    expect(runText(narrowed)).toMatch(/had not approved in time: zeta/);
    expect(runText(waiting)).not.toMatch(/had not approved in time/);
  });

  it('says when it starts, and since when it is paused', () => {
    const later = runStatus(storedRun({ startAtMs: DEADLINE }));
    expect(runText(later)).toMatch(/starts at 2030-01-02 03:04:05 UTC at the earliest/);
    const approvedByAll = RunStatus.fromPartial({ ...later, waitingFor: [] });
    expect(runListText([approvedByAll]).split('\n')[1]).toBe('  starts at 2030-01-02 03:04:05 UTC');
    const paused = RunStatus.fromPartial({ ...narrowed, state: 'paused', pausedMs: DEADLINE, waitingFor: [], cause: 'lunch' });
    expect(runText(paused)).toMatch(/paused since 2030-01-02 03:04:05 UTC/);
    expect(runListText([paused]).split('\n')[1]).toBe('  lunch');
    expect(runText(waiting)).not.toMatch(/paused|starts at/);
  });

  it('says of each sum who is not in it and how it came to that, and who is set aside and how to wait for it again', () => {
    const excluded = [
      { site: 'beta', reason: 'ready', detail: '' },
      { site: 'zeta', reason: 'late', detail: 'no nonce by the deadline' },
    ];
    const set = [{ site: 'zeta', failures: 5, reasons: ['late in sum 9', 'absent in sum 8'] }];
    const run = RunStatus.fromPartial({ ...waiting, run: 'r1-0', setAside: set, rounds: [{ sum: 9, kind: 'update', round: 5, excluded }] });
    const lines = runText(run).split('\n');
    expect(lines.slice(-3)).toEqual([
      expect.stringMatching(/sum 9 \(round 5, .* without beta ready, zeta late$/),
      '      beta ready',
      '      zeta late: no nonce by the deadline',
    ]);
    const aside = /set aside.*: zeta \(late in sum 9, absent in sum 8\); .*coferment runs readmit r1-0 zeta/;
    expect(runText(run)).toMatch(aside);
    // Also where all runs are shown, without their sums.
    expect(runText(run, false)).toMatch(aside);
    expect(runText(run, false)).not.toContain('no nonce by');
  });

  it('stands in a list with state, progress, opening and what it waits for', () => {
    const released = RunStatus.fromPartial({
      ...narrowed,
      run: 'r2-0',
      state: 'completed',
      released: true,
      waitingFor: [],
      openedMs: DEADLINE,
    });
    const aborted = RunStatus.fromPartial({ ...narrowed, run: 'r3-0', state: 'aborted', waitingFor: [], cause: 'too few' });
    const lines = runListText([waiting, released, aborted]).split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatch(
      /^r1-[0-9a-f]{16} {2}.*awaiting-approval.* opened never {2}0 of \d+ rounds {2}"unit", 1\. run {2}sites alpha, beta, gamma, zeta$/,
    );
    expect(lines[1]).toBe('  waits for alpha, beta, gamma, zeta, at most until 2030-01-02 03:04:05');
    expect(lines[2]).toMatch(/^r2-0 +.*completed, released.* opened 2030-01-02 03:04:05/);
    expect(lines.slice(3)).toEqual([expect.stringMatching(/^r3-0 +.*aborted/), '  too few']);
    expect(runListText([])).toMatch(/No run was launched yet/);
  });
});

describe('the roster on the screen of the operator', () => {
  it('says that nobody can approve it yet, who has, and whom it waits for', () => {
    const view = storedRun({ state: 'key-ceremony' });
    const screen = () => rosterScreens('unit', runStatus(view), rosterStatus(view))[0]!;
    expect(screen().note.join()).toMatch(/No site can approve it yet/);
    view.epoch.rosterDigest = 'a'.repeat(64);
    expect(screen().note).toEqual(['Approved by: nobody yet', `Waits for: ${SITES.join(', ')}`]);
    const act = {
      consortium: 'unit',
      run: view.run.run,
      epoch: 1,
      roster: 'a'.repeat(64),
      fingerprint: 'a'.repeat(64),
      e0: 'a'.repeat(64),
    };
    for (const site of SITES) give(view, 'roster-approved', site, '1', { ...act, site });
    expect(screen()).toMatchObject({ approved: SITES, note: [`Approved by all: ${SITES.join(', ')}`] });
    expect(screen().lines).toContain('Asked for this run and not in it: none');
  });
});

describe('a deadline on the command line', () => {
  it.each(['soon', '7', '7 weeks', '-1 d', '0 s', '4000 d'])('"%s" is refused before anything is launched', async (text) => {
    const program = new Command().exitOverride();
    addRuns(program);
    for (const command of program.commands) command.exitOverride();
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const launch = program.parseAsync(['launch', 'a'.repeat(64), '--approve-within', text, '--data', '/nowhere'], { from: 'user' });
    await expect(launch).rejects.toMatchObject({ code: 'commander.invalidArgument' });
    expect(written.mock.calls.join('')).toMatch(/must be a length of time such as/);
    written.mockRestore();
  });
});
