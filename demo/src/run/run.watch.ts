import { setTimeout as pause } from 'node:timers/promises';
import { DemoError } from '../errors/index.js';
import type { ChildProgram, ProgramEvent } from '../processes/index.js';
import { isFinished, type RoundView, type RunView, readWatchEvent } from './run.view.js';

/** The state of a run that an operator has to take on. */
const STUCK = 'stuck';
/** Longer than any step of a demo takes, also on a slow machine; after it the run is given up instead of waiting for ever. */
const STALL_MS = 180_000;
const PAUSE_MS = 300;
const TRIES_WITHOUT_NEWS = 20;

export interface WatchedCoordinator {
  watch(run: string): ChildProgram;
  run(run: string): Promise<RunView>;
}

export interface RunWatcher {
  roundMoved(round: RoundView): void;
  runMoved(state: string): void;
  acted(site: string, text: string): void;
  /** Waits for faults that are being played at the moment. */
  settled(): Promise<void>;
}

/**
 * Follows a run to its end, over restarts of the coordinator. Every round is reported in order of its states; a closed sum is reported once, also when
 * the event was lost with the connection.
 * @throws DemoError 'run-failed' when the run is stuck and an operator would have to decide, 'stalled' when nothing happens for three minutes, 'process-failed' when the run cannot be asked about.
 */
export async function followRun(coordinator: WatchedCoordinator, run: string, watcher: RunWatcher): Promise<RunView> {
  const closed = new Set<number>();
  let lastSequence = 0;
  let lastNewsMs = Date.now();
  let tries = 0;

  const take = (value: ProgramEvent): void => {
    const event = readWatchEvent(value);
    if (event.sequence <= lastSequence) return;
    lastSequence = event.sequence;
    lastNewsMs = Date.now();
    tries = 0;
    if (event.type === 'run-state') watcher.runMoved(event.state);
    if (event.site !== '') watcher.acted(event.site, event.text);
    if (event.round) report(event.round);
  };
  const report = (round: RoundView): void => {
    if (closed.has(round.sum)) return;
    if (round.state === 'closed') closed.add(round.sum);
    watcher.roundMoved(round);
  };

  for (;;) {
    await watcher.settled();
    const program = coordinator.watch(run);
    const stop = program.onEvent((event) => {
      if (!('sequence' in event)) return;
      take(event);
      // Only an operator takes a stuck run on, and the demo has none at the keyboard.
      if (event['state'] === STUCK && event['type'] === 'run-state') program.kill('SIGTERM');
    });
    const stalled = setInterval(() => {
      if (Date.now() - lastNewsMs > STALL_MS) program.kill('SIGTERM');
    }, 1000);
    await program.ended;
    clearInterval(stalled);
    stop();
    await watcher.settled();
    const view = await askAbout(coordinator, run, program);
    for (const round of view.rounds) if (round.state === 'closed') report(round);
    if (isFinished(view)) return view;
    if (view.state === STUCK) throw new DemoError('run-failed', `The run ${view.run} is stuck. ${view.cause} ${view.whatToDo}`.trim());
    if (Date.now() - lastNewsMs > STALL_MS) throw stall(view);
    if (++tries > TRIES_WITHOUT_NEWS) throw program.failure();
    await pause(PAUSE_MS);
  }
}

async function askAbout(coordinator: WatchedCoordinator, run: string, watch: ChildProgram): Promise<RunView> {
  try {
    return await coordinator.run(run);
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    throw new DemoError('process-failed', `The run ${run} cannot be followed. ${watch.failure().message}\n${error.message}`, {
      cause: error,
    });
  }
}

function stall(view: RunView): DemoError {
  const waiting = view.waitingFor.length === 0 ? '' : ` It waits for ${view.waitingFor.join(', ')}.`;
  return new DemoError(
    'stalled',
    `The run ${view.run} is "${view.state}" and nothing has happened for ${STALL_MS / 1000} s.${waiting} ${view.whatToDo}`.trim(),
  );
}
