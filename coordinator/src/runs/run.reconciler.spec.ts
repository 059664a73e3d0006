import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DamagedObject } from '../aggregation/damaged.object.js';
import { runningView } from '../testing/run-view.fixture.js';
import { DamagedFiles } from './damaged.files.js';
import { RunQueue } from './run.queue.js';
import { RunReconciler } from './run.reconciler.js';
import type { RunView } from './run.view.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A run whose shares have all come, so that its sum is to be opened. */
function toOpen(run: string): RunView {
  const view = runningView({ state: 'decrypting' });
  view.run = { ...view.run, run };
  const shares = view.epoch.roster.keyHolders.map(({ site }) => ({ site, receivedMs: 0 }));
  view.acts.inSlot = (name: string) => (name === 'share' ? shares : []) as never;
  return view;
}

/** The reconciler over these runs; everything that it would read, write or compute is a stand-in. */
function over(views: RunView[], open: (view: RunView) => Promise<void>) {
  const damages = new DamagedFiles();
  const notes: string[] = [];
  const change = { note: (_type: string, { text }: { text: string }) => notes.push(text) };
  const reconciler = new RunReconciler(
    { all: () => Promise.resolve(views), load: (run: string) => Promise.resolve(views.find((view) => view.run.run === run)) } as never,
    { apply: (_run: string, _version: number, work: (made: unknown) => unknown) => Promise.resolve(work(change)) } as never,
    new RunQueue(),
    { absent: () => new Set() } as never,
    undefined as never,
    undefined as never,
    { open } as never,
    damages,
    { info: () => undefined, error: () => undefined } as never,
    { nowMs: () => Date.now() } as never,
    { whileHeld: (_name: string, work: () => Promise<void>) => work().then(() => true) } as never,
    { follow: () => Promise.resolve() } as never,
  );
  return { reconciler, damages, notes };
}

const close = (view: RunView) => void (view.rounds = view.rounds.map((round) => ({ ...round, state: 'closed' })));

describe('the tick', () => {
  it('takes one run on while another opens a sum that takes long, and that one only once at a time', async () => {
    const [slow, quick] = [toOpen('slow'), toOpen('quick')];
    const opened: string[] = [];
    let finish = () => {};
    const { reconciler } = over([slow, quick], async (view) => {
      opened.push(view.run.run);
      if (view === slow) await new Promise<void>((resolve) => (finish = resolve));
      close(view);
    });
    reconciler.start();
    await vi.advanceTimersByTimeAsync(3000);
    expect(opened).toEqual(['slow', 'quick']);
    finish();
    await reconciler.onModuleDestroy();
    expect(slow.rounds[0]!.state).toBe('closed');
  });
});

describe('a damaged file', () => {
  it('is tried less and less often, told once with what to do, and forgotten when it is back', async () => {
    const view = toOpen('run');
    let isThere = false;
    let tries = 0;
    const { reconciler, damages, notes } = over([view], (opening) => {
      tries++;
      if (!isThere) return Promise.reject(new DamagedObject('the upload of "alpha" to sum 5', '/objects/aa', 'it is gone'));
      close(opening);
      return Promise.resolve();
    });
    reconciler.start();
    await vi.advanceTimersByTimeAsync(60_000);
    // At about 0, 5, 15 and 35 seconds.
    expect(tries).toBe(4);
    expect(notes).toEqual([expect.stringMatching(/upload of "alpha" to sum 5 \(\/objects\/aa\).*Restore/)]);
    expect(damages.whatToDo(view)).toMatch(/\/objects\/aa/);
    isThere = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect([tries, view.rounds[0]!.state, damages.whatToDo(view)]).toEqual([5, 'closed', undefined]);
    await reconciler.onModuleDestroy();
  });
});
