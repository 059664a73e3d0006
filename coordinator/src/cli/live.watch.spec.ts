import { setTimeout as sleep } from 'node:timers/promises';
import { GetLedgerStatusResponse, RunStatus, WatchRunResponse } from '@coferment/proto';
import { describe, expect, it } from 'vitest';
import { CoordinatorError } from '../errors/index.js';
import type { LiveState } from './live.view.js';
import { type LiveSource, LiveWatch } from './live.watch.js';

const away = () => new CoordinatorError('unreachable', 'The coordinator does not answer.');
const event = (sequence: number, state = '') =>
  WatchRunResponse.fromPartial({ sequence, type: state === '' ? 'note' : 'run-state', state, text: `event ${sequence}` });

function watching(source: Partial<LiveSource>) {
  const painted: LiveState[] = [];
  const full: LiveSource = {
    run: async () => RunStatus.fromPartial({ run: 'r1', state: 'completed' }),
    ledger: async () => GetLedgerStatusResponse.fromPartial({ size: 3 }),
    events: async function* none() {},
    ...source,
  };
  return { painted, watch: new LiveWatch(full, (state) => painted.push(state)) };
}

describe('watching a run live', () => {
  it('paints at once, at events and at the end, and tells the state that the run came to', async () => {
    const { painted, watch } = watching({
      events: async function* three() {
        yield event(1);
        yield event(2);
        yield event(3, 'completed');
      },
    });
    await expect(watch.follow(0)).resolves.toBe('completed');
    expect(painted[0]?.run.run).toBe('r1');
    expect(painted.at(-1)?.events).toHaveLength(3);
    expect(painted.at(-1)?.ledger?.size).toBe(3);
  });

  it('goes on after the last event that it saw when the coordinator was away in between, and says so meanwhile', async () => {
    const asked: number[] = [];
    let isAway = false;
    const { painted, watch } = watching({
      run: async () => {
        if (isAway) throw away();
        return RunStatus.fromPartial({ run: 'r1', state: asked.length > 1 ? 'aborted' : 'running' });
      },
      events: async function* cut(after) {
        asked.push(after);
        if (asked.length === 1) {
          yield event(4);
          isAway = true;
          throw away();
        }
        isAway = false;
        yield event(5, 'aborted');
      },
    });
    await expect(watch.follow(3)).resolves.toBe('aborted');
    expect(asked).toEqual([3, 4]);
    expect(painted.some(({ problem }) => problem.includes('does not answer'))).toBe(true);
    expect(painted.at(-1)).toMatchObject({ problem: '', events: [expect.stringContaining('event 4'), expect.stringContaining('event 5')] });
  });

  it('paints nothing more when it is over, whatever was still being asked', async () => {
    let asked = 0;
    let hangUp = () => {};
    const { painted, watch } = watching({
      run: () => {
        asked += 1;
        if (asked !== 2) return Promise.resolve(RunStatus.fromPartial({ run: 'r1', state: 'completed' }));
        return new Promise((_, reject) => (hangUp = () => reject(away())));
      },
      events: async function* one() {
        yield event(1, 'completed');
      },
    });
    const followed = watch.follow(0);
    await sleep(50);
    hangUp();
    await followed;
    const before = painted.length;
    await sleep(1200);
    expect(painted).toHaveLength(before);
    expect(painted.at(-1)?.problem).toBe('');
  });

  it('shows events without the colours that they have in lines', async () => {
    const { painted, watch } = watching({
      events: async function* one() {
        yield WatchRunResponse.fromPartial({ sequence: 1, type: 'run-state', state: 'completed', text: 'over\u001b[1m it is' });
      },
    });
    await watch.follow(0);
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(painted.at(-1)?.events[0]).not.toMatch(/\u001b|\[1m/);
  });

  it('ends with any other refusal, and with a coordinator that does not answer at all', async () => {
    const unknown = new CoordinatorError('unknown-run', 'There is no run "r1".');
    await expect(watching({ run: () => Promise.reject(away()) }).watch.follow(0)).rejects.toMatchObject({ code: 'unreachable' });
    const refusedLater = watching({
      // oxlint-disable-next-line require-yield -- it fails before it has anything to tell
      events: async function* refused() {
        throw unknown;
      },
    });
    await expect(refusedLater.watch.follow(0)).rejects.toMatchObject({ code: 'unknown-run' });
  });
});
