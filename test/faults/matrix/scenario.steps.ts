import type { AgentRoundState, RoundState, RunState, SumKind } from '@coferment/consortium';
import { ask } from '../../../coordinator/src/cli/operator.client.js';
import type { RunView } from '../../../coordinator/src/runs/run.view.js';
import type { CoordinatorPort } from '../../../client-agent/src/connection/coordinator.port.js';
import type { Moment, StoppedConsortium } from './stopped.consortium.js';

type When = Moment['when'];
type Act = Moment['act'];

/** The words that scenarios are written in: when, and what then happens to the consortium. */

export const atOnce: When = () => true;

const HOUR_MS = 3_600_000;

export const runIs =
  (state: RunState): When =>
  (view) =>
    view.run.state === state;

/** The newest sum of this kind is in this state; the round too, where it is given. */
export const sumIs =
  (kind: SumKind, state: RoundState, round?: number): When =>
  (view) => {
    const last = view.rounds.findLast((row) => row.kind === kind && row.epoch === view.epoch.epoch);
    return last !== undefined && last.state === state && (round === undefined || last.round === round);
  };

/** The newest sum of this kind is before its freeze: the last nonce that comes closes the list. */
export const sumCollects =
  (kind: SumKind): When =>
  (view, consortium) =>
    (['training', 'ready', 'uploading'] as const).some((state) => sumIs(kind, state)(view, consortium));

/** In the newest sum that the site itself knows of. */
export const siteIs =
  (site: string, state: AgentRoundState): When =>
  (view, consortium) =>
    consortium.agent(site).context.journal.steps.latest(view.run.run)?.state === state;

export const both =
  (...all: When[]): When =>
  (view, consortium) =>
    all.every((when) => when(view, consortium));

/** Some sum of the epoch is in the one state while another is still in the other. */
export const confirmsAre =
  (one: RoundState, other: RoundState): When =>
  (view: RunView) => {
    const states = view.rounds.filter(({ kind, epoch }) => kind === 'confirm' && epoch === view.epoch.epoch).map(({ state }) => state);
    return states.includes(one) && states.includes(other);
  };

export const epochIs =
  (epoch: number): When =>
  (view) =>
    view.epoch.epoch === epoch;

export const moment = (when: When, ...acts: Act[]): Moment => ({
  when,
  act: async (consortium) => {
    for (const act of acts) await act(consortium);
  },
});

/** Another key epoch. Asked for twice, it is one. */
export const renew =
  (change: { leaveOut?: string; replaceHolder?: string } = {}): Act =>
  ({ coordinator: { operator }, view, run }: StoppedConsortium) =>
    ask(operator.operator.renewEpoch.bind(operator.operator), {
      run,
      epoch: view.epoch.epoch + 1,
      leaveOut: change.leaveOut ?? '',
      replaceHolder: change.replaceHolder ?? '',
    });

export const abort: Act = ({ coordinator: { operator }, run }: StoppedConsortium) =>
  ask(operator.operator.abortRun.bind(operator.operator), { run, reason: 'a test' });

export const leaves =
  (...sites: string[]): Act =>
  ({ away, absent }) =>
    sites.forEach((site) => {
      away.add(site);
      absent.add(site);
    });

/** It does nothing, and the coordinator still waits for it. */
export const sleeps =
  (...sites: string[]): Act =>
  ({ away }) =>
    sites.forEach((site) => away.add(site));

export const returns =
  (...sites: string[]): Act =>
  (consortium) =>
    sites.forEach((site) => {
      consortium.away.delete(site);
      consortium.absent.delete(site);
      consortium.agent(site).cut.clear();
    });

/** The line is cut whenever the site does this. */
export const cannot =
  (site: string, call: keyof CoordinatorPort): Act =>
  (consortium) =>
    void consortium.agent(site).cut.add(call);

export const restarts =
  (site: string): Act =>
  (consortium) =>
    consortium.agent(site).startAgain();

export const losesObjects =
  (site: string): Act =>
  (consortium) =>
    consortium.agent(site).loseObjects();

export const withdraws =
  (site: string): Act =>
  (consortium) =>
    consortium.agent(site).decide(consortium.view.run, 'withdrawn');

export const consents =
  (site: string): Act =>
  (consortium) =>
    consortium.agent(site).decide(consortium.view.run, 'approved');

/** From now on its shares are noise, or good ones again. */
export const garbles =
  (site: string, on = true): Act =>
  (consortium) => {
    consortium.agent(site).garbles = on;
  };

/** For the coordinator: whatever waits for a time waits no longer. */
export const timePasses =
  (ms: number): Act =>
  ({ coordinator }) =>
    coordinator.pass(ms);

/** Longer than any deadline of the plans here. */
export const deadlinePasses: Act = timePasses(11 * HOUR_MS);

/** Longer than anybody is waited for who may still name a liar. */
export const gracePasses: Act = timePasses(3_000);

/** From now on it only passes by {@link timePasses}. */
export const timeStands: Act = ({ coordinator }) => coordinator.stopClock();

/** Asked for after it was done and nobody was told, it is refused: what the run has come to is looked at first. */
export const pauses: Act = async ({ coordinator, run }) => {
  const { operator } = coordinator.operator;
  if ((await coordinator.run(run)).state === 'running') await ask(operator.pauseRun.bind(operator), { run, reason: 'a test' });
};

export const resumes: Act = async ({ coordinator, run }) => {
  const { operator } = coordinator.operator;
  if ((await coordinator.run(run)).state === 'paused') await ask(operator.resumeRun.bind(operator), { run });
};

/** Proposes another set for the sum that stands still. Asked for twice, it is one proposal. */
export const opensNewSet =
  (...sites: string[]): Act =>
  ({ coordinator, view, run }) => {
    const { operator } = coordinator.operator;
    const { sum } = view.rounds.findLast(({ state }) => state === 'stuck' || state === 'stalled')!;
    return ask(operator.openNewSet.bind(operator), { run, sum, sites });
  };
