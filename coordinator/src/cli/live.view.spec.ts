import { GetLedgerStatusResponse, NewSetStatus, RoundProgress, RoundStatus, RunStatus, SetAsideSite } from '@coferment/proto';
import { describe, expect, it } from 'vitest';
import { columnsOf } from './line.width.js';
import { type LiveState, type Styles, liveView } from './live.view.js';

const NOW = Date.UTC(2030, 0, 1, 12, 0, 0);
const plain: Styles = { bold: same, dim: same, red: same, yellow: same, green: same, cyan: same };
const open = RoundStatus.fromPartial({
  round: 3,
  kind: 'update',
  sum: 9,
  attempt: 2,
  state: 'uploading',
  progress: RoundProgress.fromPartial({ sites: 5, needed: 3, declined: 1, ready: 4, listed: 4, uploaded: 2, attesters: 5, shares: 0 }),
});
const closed = RoundStatus.fromPartial({
  round: 2,
  kind: 'update',
  sum: 8,
  attempt: 1,
  state: 'closed',
  counted: ['alder', 'birch', 'cedar', 'maple'],
  excluded: [{ site: 'rowan', reason: 'late', detail: 'its nonce came 12 s after the list closed' }],
  metric: 0.123456,
});
const run = RunStatus.fromPartial({
  run: 'r1-3f9c0a1b2c3d4e5f',
  planName: 'titre',
  ordinal: 1,
  state: 'running',
  epoch: 1,
  sites: ['alder', 'birch', 'cedar', 'maple', 'rowan'],
  keyHolders: ['alder', 'birch', 'cedar'],
  threshold: 2,
  attestQuorum: 4,
  roundsPlanned: 10,
  roundsClosed: 2,
  rounds: [closed, open],
  waitingFor: ['cedar', 'maple'],
  deadlineMs: NOW + 252_000,
  setAside: [SetAsideSite.fromPartial({ site: 'rowan', failures: 5, reasons: ['no poll for 2 min'] })],
});
const ledger = GetLedgerStatusResponse.fromPartial({ size: 123, quorum: 2, cosigned: 1 });
const state: LiveState = { run, ledger, events: ['first event', 'second event'], problem: '', nowMs: NOW };

function same(text: string): string {
  return text;
}

function shown(change: Partial<RunStatus> = {}, columns = 120, rest: Partial<LiveState> = {}): string[] {
  return liveView({ ...state, run: RunStatus.fromPartial({ ...run, ...change }), ...rest }, { columns, rows: 60 }, plain);
}

describe('the live view of a run', () => {
  it('shows the run, the stages of its open sum, who is waited for and until when', () => {
    expect(shown()).toEqual([
      'r1-3f9c0a1b2c3d4e5f  running  "titre", 1. run, key epoch 1',
      'rounds      ██████░░░░░░░░░░░░░░░░░░░░░░░░  2 of 10',
      'round 3 (sum 9, attempt 2), uploading',
      'trained     ████████████████████████░░░░░░  4 of 5 sites, 3 needed, 1 stays out',
      'uploaded    ███████████████░░░░░░░░░░░░░░░  2 of 4, 3 needed',
      'signed      ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0 of 5 sites, 4 needed',
      'shares      ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0 of 3 key holders, 2 needed',
      'waits for   4 min 12 s more, until 2030-01-01 12:04:12 UTC: cedar, maple',
      'set aside   rowan, after 5 failures: no poll for 2 min',
      'ledger      123 entries; newest checkpoint cosigned by 1, 2 needed',
      'round 2     4 counted, rmse 0.12346; without rowan late (its nonce came 12 s after the list closed)',
      'first event',
      'second event',
    ]);
  });

  it.each([20, 40, 80, 120])('is never wider than %d columns, and loses no count', (columns) => {
    const lines = shown({ cause: 'x'.repeat(500), whatToDo: 'several words '.repeat(40), planName: '発酵'.repeat(60) }, columns);
    expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(columns);
    expect(lines.find((line) => line.startsWith('uploaded'))).toContain('2 of 4');
    expect(lines[0]).toContain('running');
  });

  it.each([5, 8, 12, 20])('is never longer than a screen of %d rows, and keeps what matters most', (rows) => {
    const lines = liveView(state, { columns: 80, rows }, plain);
    expect(lines.length).toBeLessThan(Math.max(6, rows));
    expect(lines[0]).toContain('running');
    if (rows > 5) expect(lines.join('\n')).toContain('waits for');
  });

  it('counts down in two units, and says when the time is over', () => {
    const waits = (leftMs: number) => shown({ deadlineMs: NOW + leftMs }).find((line) => line.startsWith('waits for'));
    expect(waits(1500)).toContain('1 s more');
    expect(waits(3 * 86_400_000 + 7_200_000)).toContain('3 d 2 h more');
    expect(waits(3_600_000)).toContain('1 h more');
    expect(waits(-1)).toContain('since 2030-01-01 11:59:59 UTC no longer: cedar, maple');
    expect(shown({ deadlineMs: 0 }).find((line) => line.startsWith('waits for'))).toBe('waits for   cedar, maple');
  });

  it('makes names and texts from elsewhere printable', () => {
    const odd = 'evil\u001b[2J\u202e\nname';
    const lines = shown({ run: odd, planName: odd, waitingFor: [odd], cause: odd, leftOut: [odd] }, 120, { events: [odd], problem: odd });
    // oxlint-disable-next-line no-control-regex -- these are what must not reach a screen
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it('shows one stage of approvals, and one of all confirmations together', () => {
    expect(shown({ state: 'awaiting-approval', rounds: [] }).join('\n')).toMatch(/approval of the plan\napproved .* 3 of 5 sites/);
    const confirms = ['attesting', 'training', 'training'].map((at, index) =>
      RoundStatus.fromPartial({ kind: 'confirm', sum: index + 1, state: at }),
    );
    expect(shown({ rounds: confirms }).join('\n')).toMatch(
      /confirmation of the keys of epoch 1, attesting, training\nconfirmed .* 2 of 5 sites/,
    );
  });

  it('shows a pause, a start in the future, another set and an absent coordinator', () => {
    const text = shown(
      {
        pausedMs: NOW - 65_000,
        startAtMs: NOW + 10_000,
        newSet: NewSetStatus.fromPartial({ before: ['a', 'b', 'c'], after: ['a', 'b'], approvers: ['a', 'b'], approved: ['a'] }),
      },
      120,
      { problem: 'The coordinator does not answer.' },
    ).join('\n');
    expect(text).toContain('paused      for 1 min 5 s');
    expect(text).toContain('starts      in 10 s, at 2030-01-01 12:00:10 UTC');
    expect(text).toContain('new set     without c; approved by 1 of 2: a');
    expect(text).toContain('no answer   The coordinator does not answer.');
  });
});
