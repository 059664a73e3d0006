import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ProcessGroup } from '../processes/index.js';
import { readRunView, type RunView } from './run.view.js';
import { followRun } from './run.watch.js';

const folder = mkdtempSync(join(tmpdir(), 'coferment-watch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const round = (number: number, state: string) => ({ round: number, kind: 'update', sum: number + 10, attempt: 1, state });

/** A coordinator whose watch command is a real process that prints the given events, once for each time it is asked. */
function coordinator(watches: object[][], views: object[]) {
  const group = new ProcessGroup();
  let asked = 0;
  return {
    watch: () => {
      const script = join(folder, `watch-${Math.random()}.mjs`);
      writeFileSync(script, (watches.shift() ?? []).map((event) => `console.log(${JSON.stringify(JSON.stringify(event))});`).join('\n'));
      return group.start({ name: 'watch', script, args: [], logFile: join(folder, 'watch.log') });
    },
    run: async (): Promise<RunView> => readRunView({ run: 'r1', plan: 'p', ...views[Math.min(asked++, views.length - 1)] }),
  };
}

function watcher() {
  const seen: string[] = [];
  return {
    seen,
    roundMoved: (view: { round: number; state: string }) => void seen.push(`${view.round} ${view.state}`),
    runMoved: (state: string) => void seen.push(state),
    acted: (site: string, text: string) => void seen.push(`${site} ${text}`),
    settled: () => Promise.resolve(),
  };
}

describe('following a run', () => {
  it('goes on after the coordinator was away, without telling anything twice', async () => {
    const first = [
      { sequence: 1, type: 'run-state', state: 'running' },
      { sequence: 2, type: 'round-state', round: round(1, 'training') },
      { sequence: 3, type: 'round-state', round: round(1, 'closed') },
    ];
    const second = [...first, { sequence: 4, type: 'round-state', round: round(2, 'closed') }];
    const fake = coordinator(
      [first, second],
      [{ state: 'running' }, { state: 'completed', rounds: [round(1, 'closed'), round(2, 'closed')] }],
    );
    const eyes = watcher();
    expect((await followRun(fake, 'r1', eyes)).state).toBe('completed');
    expect(eyes.seen).toEqual(['running', '1 training', '1 closed', '2 closed']);
  });

  it('tells of a round that closed while nobody watched', async () => {
    const fake = coordinator([[]], [{ state: 'completed', rounds: [round(1, 'closed')] }]);
    const eyes = watcher();
    await followRun(fake, 'r1', eyes);
    expect(eyes.seen).toEqual(['1 closed']);
  });

  it('ends with the cause when the run is stuck, instead of waiting for an operator', async () => {
    const stuck = { state: 'stuck', cause: 'The dealing of alder was refused by elm.', whatToDo: 'coferment epochs renew r1' };
    const fake = coordinator([[{ sequence: 1, type: 'run-state', state: 'stuck' }]], [stuck]);
    await expect(followRun(fake, 'r1', watcher())).rejects.toMatchObject({
      code: 'run-failed',
      message: 'The run r1 is stuck. The dealing of alder was refused by elm. coferment epochs renew r1',
    });
  });
});
