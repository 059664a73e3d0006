import { connect, createServer, type Server } from 'node:net';
import { RunStatus, WatchRunResponse } from '@coferment/proto';
import { afterEach, describe, expect, it } from 'vitest';
import { AlternatingKills, KILL_PHASES } from '../faults/schedules/alternating.kills.js';
import { type Act, type Fault, type FaultSchedule, scheduleText, SITES, type Trigger } from '../faults/schedules/fault.schedule.js';
import { accountFaults, ModelBook } from '../faults/schedules/run.account.js';
import { generateSchedule } from '../faults/schedules/schedule.generator.js';
import { SchedulePlayer } from '../faults/schedules/schedule.player.js';
import { TcpBalancer } from '../faults/schedules/tcp.balancer.js';

const all = Array.from({ length: 400 }, (_, index) => generateSchedule(index + 1, 2));

describe('a generated schedule', () => {
  it('is the same for the same seed, and printed so that a person can follow it', () => {
    expect(generateSchedule(17, 2)).toEqual(generateSchedule(17, 2));
    expect(generateSchedule(17, 2)).not.toEqual(generateSchedule(18, 2));
    for (const schedule of all) expect(scheduleText(schedule).split('\n')).toHaveLength(schedule.faults.length + 1);
  });

  it('holds every kind of fault and trigger, each whom it can strike, and several at once', () => {
    const acts = all.flatMap(({ faults }) => faults.map(({ what }) => what));
    expect(new Set(acts.map(({ act }) => act))).toEqual(new Set(['kill', 'kill-in-start', 'freeze', 'cut', 'delay']));
    const killed = acts.flatMap((act) => (act.act === 'kill' ? [act.whom] : []));
    expect(new Set(killed.flat())).toEqual(new Set(['coordinator', ...SITES]));
    expect(Math.max(...killed.map((whom) => whom.length))).toBe(SITES.length + 1);
    for (const whom of killed) expect(new Set(whom).size).toBe(whom.length);
    const triggers = all.flatMap(({ faults }) => faults.map(({ when }) => when.on));
    expect(new Set(triggers)).toEqual(new Set(['beginning', 'sum', 'asked', 'sent']));
  });

  it('strikes the key ceremony only in runs that have one, and half of the runs wait for every site', () => {
    const ceremony = all.filter(({ faults }) => faults.some(({ when }) => when.on === 'asked' && when.kind === 'deal'));
    expect(ceremony.length).toBeGreaterThan(0);
    expect(new Set(ceremony.map(({ from }) => from))).toEqual(new Set(['launch']));
    expect(all.filter(({ patience }) => patience === 'waiting')).toHaveLength(all.length / 2);
  });
});

function scene(...faults: Fault[]) {
  const acts: string[] = [];
  const note = (what: string) => async (whom: string) => void acts.push(`${what} ${whom}`);
  const struck = {
    start: note('start'),
    kill: note('kill'),
    freeze: (whom: string) => {
      acts.push(`freeze ${whom}`);
      return () => void acts.push(`thaw ${whom}`);
    },
  };
  const line = (site: string) => ({
    refuse: () => void acts.push(`refuse ${site}`),
    silence: () => void acts.push(`silence ${site}`),
    restore: () => void acts.push(`restore ${site}`),
    delay: (ms: number) => void acts.push(`delay ${site} ${ms}`),
  });
  const schedule: FaultSchedule = { seed: 1, patience: 'quorum', from: 'keys', faults };
  return { acts, player: new SchedulePlayer(schedule, struck, new Map(SITES.map((site) => [site, line(site)]))) };
}

const fault = (when: Trigger, what: Act, afterMs = 0): Fault => ({ when, afterMs, what });
const state = (kind: string, round: number, now: string) =>
  WatchRunResponse.fromPartial({ type: 'round-state', state: now, round: { kind, round } });
const beginning: Trigger = { on: 'beginning' };

describe('the player of a schedule', () => {
  it('strikes once, when the sum of that kind and round enters that state', async () => {
    const { player, acts } = scene(
      fault({ on: 'sum', kind: 'update', round: 2, state: 'frozen' }, { act: 'kill', whom: ['coordinator'], downMs: 0 }),
    );
    player.begun();
    for (const other of [state('update', 1, 'frozen'), state('update', 2, 'training'), state('evaluate', 2, 'frozen')])
      player.runMoved(other);
    await player.settled();
    expect(acts).toEqual([]);
    expect(player.unplayed).toHaveLength(1);
    player.runMoved(state('update', 2, 'frozen'));
    player.runMoved(state('update', 2, 'frozen'));
    await player.settled();
    expect(acts).toEqual(['kill coordinator', 'start coordinator']);
    expect(player.unplayed).toEqual([]);
  });

  it('strikes at the nth time that this site is asked, or sends', async () => {
    const { player, acts } = scene(
      fault({ on: 'asked', site: 'site-2', kind: 'encrypt', nth: 2 }, { act: 'freeze', whom: 'site-2', forMs: 1 }),
      fault({ on: 'sent', site: 'site-1', name: 'nonce', nth: 1 }, { act: 'delay', site: 'site-1', delayMs: 50, forMs: 1 }),
    );
    player.siteTold('site-1', { event: 'instruction', kind: 'encrypt' });
    player.siteTold('site-2', { event: 'instruction', kind: 'encrypt' });
    player.siteTold('site-2', { event: 'sent', name: 'nonce' });
    player.siteTold('site-2', { event: 'trained', kind: 'encrypt' });
    await player.settled();
    expect(acts).toEqual([]);
    player.siteTold('site-2', { event: 'instruction', kind: 'encrypt' });
    player.siteTold('site-1', { event: 'sent', name: 'nonce' });
    await player.settled();
    expect(acts.sort()).toEqual(['delay site-1 0', 'delay site-1 50', 'freeze site-2', 'thaw site-2']);
  });

  it('starts nobody twice that two faults have killed, and lets a starting one be killed', async () => {
    const { player, acts } = scene(
      fault(beginning, { act: 'kill', whom: ['site-1', 'site-2'], downMs: 60 }),
      fault(beginning, { act: 'kill', whom: ['site-1'], downMs: 0 }, 20),
      fault(beginning, { act: 'kill-in-start', whom: 'site-3', downMs: 0, againMs: 1 }),
    );
    player.begun();
    await player.settled();
    expect(acts.filter((act) => act.endsWith('site-1'))).toEqual(['kill site-1', 'start site-1']);
    expect(acts.filter((act) => act.endsWith('site-2'))).toEqual(['kill site-2', 'start site-2']);
    expect(acts.filter((act) => act.endsWith('site-3'))).toEqual(['kill site-3', 'start site-3', 'kill site-3', 'start site-3']);
    expect(player.log.join()).toContain('site-1 is down already');
  });

  it('makes cut lines whole again, and measures from each start to the next step of the run', async () => {
    const { player, acts } = scene(
      fault(beginning, { act: 'cut', site: 'site-4', how: 'silent', forMs: 1 }),
      fault(beginning, { act: 'cut', site: 'site-3', how: 'reset', forMs: 1 }),
      fault(beginning, { act: 'kill', whom: ['site-1'], downMs: 0 }),
    );
    player.begun();
    await player.settled();
    expect(acts).toEqual(expect.arrayContaining(['silence site-4', 'restore site-4', 'refuse site-3', 'restore site-3']));
    expect(player.recoveriesMs).toEqual([]);
    player.runMoved(state('update', 1, 'ready'));
    player.runMoved(state('update', 1, 'uploading'));
    expect(player.recoveriesMs).toHaveLength(1);
  });

  it('tells of a start that fails', async () => {
    const { player } = scene(fault(beginning, { act: 'kill', whom: ['site-1'], downMs: 0 }));
    const failing = new SchedulePlayer(
      { seed: 1, patience: 'quorum', from: 'keys', faults: [fault(beginning, { act: 'kill', whom: ['site-1'], downMs: 0 })] },
      { kill: () => Promise.resolve(), start: () => Promise.reject(new Error('the folder is locked')), freeze: () => () => undefined },
      new Map(),
    );
    failing.begun();
    await expect(failing.settled()).rejects.toThrow('the folder is locked');
    player.begun();
    await expect(player.settled()).resolves.toBeUndefined();
  });
});

const update = (sum: number, round: number, counted: readonly string[], excluded: readonly string[] = []) => ({
  sum,
  round,
  kind: 'update',
  state: 'closed',
  counted: [...counted],
  excluded: excluded.map((site) => ({ site, reason: 'absent' })),
});
const ended = (rounds: object[], more: object = {}) => RunStatus.fromPartial({ state: 'completed', model: 'aa', rounds, ...more });

describe('the account of an ended run', () => {
  const whole = [update(1, 1, SITES), update(2, 2, SITES)];

  it('is clean when every round closed once and names every site once', () => {
    expect(accountFaults(ended(whole), 'waiting', 2)).toEqual([]);
    expect(accountFaults(ended([whole[0]!, update(2, 2, SITES.slice(1), ['site-1'])]), 'quorum', 2)).toEqual([]);
  });

  it.each([
    ['a run that did not complete', ended(whole, { state: 'stuck', cause: 'site-1 is gone' }), /stuck.*site-1 is gone/],
    ['a round that never closed', ended(whole.slice(1)), /round 1 was closed 0 times/],
    ['a round that closed twice', ended([...whole, update(3, 2, SITES)]), /round 2 was closed 2 times/],
    ['a number that was given twice', ended([update(1, 1, SITES), update(1, 2, SITES)]), /given twice/],
    ['a site that nobody names', ended([whole[0]!, update(2, 2, SITES.slice(1))]), /sum 2 is closed and names/],
    ['a site that is counted and excluded', ended([whole[0]!, update(2, 2, SITES, ['site-1'])]), /sum 2 is closed and names/],
    ['a site that a waiting run lost', ended([whole[0]!, update(2, 2, SITES.slice(1), ['site-1'])]), /though the run waits for all/],
  ])('finds %s', (_, run, found) => {
    expect(accountFaults(run, 'waiting', 2).join('\n')).toMatch(found);
  });

  it('finds another model from the same sets, and lets other sets have another one', () => {
    const book = new ModelBook();
    expect(book.enter('reference', 'waiting', ended(whole))).toEqual([]);
    expect(book.enter('seed 2', 'waiting', ended(whole))).toEqual([]);
    expect(book.enter('seed 4', 'waiting', ended(whole, { model: 'bb' })).join()).toMatch(/that of reference was aa/);
    const other = ended([whole[0]!, update(2, 2, SITES.slice(1), ['site-1'])], { model: 'cc' });
    expect(book.enter('seed 3', 'quorum', other)).toEqual([]);
  });
});

describe('the alternating kills of two replicas', () => {
  it('strike each replica in turn, one in a round, at a phase that moves on', async () => {
    const acts: string[] = [];
    const stage = {
      kill: async (replica: string) => void acts.push(`kill ${replica}`),
      start: async (replica: string) => void acts.push(`start ${replica}`),
    };
    const kills = new AlternatingKills(stage, [0, 1]);
    kills.runMoved(state('update', 1, 'frozen'));
    kills.runMoved(state('update', 1, 'training'));
    kills.runMoved(state('update', 1, 'training'));
    kills.runMoved(state('update', 2, 'training'));
    kills.runMoved(state('update', 2, 'ready'));
    await kills.settled();
    expect(acts).toEqual(['kill replica-b', 'start replica-b', 'kill replica-a', 'start replica-a']);
    expect(kills.kills.map(({ phase }) => phase)).toEqual(KILL_PHASES.slice(0, 2));
  });
});

describe('the balancer', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
  });

  async function backend(word: string) {
    const server = createServer((socket) => socket.end(word));
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return { host: '127.0.0.1', port: (server.address() as { port: number }).port };
  }

  const answer = (port: number): Promise<string> =>
    new Promise((resolve) => {
      let read = '';
      const socket = connect(port, '127.0.0.1');
      socket.on('data', (chunk: Buffer) => (read += chunk.toString()));
      socket.once('error', () => resolve('refused'));
      socket.once('close', () => resolve(read === '' ? 'refused' : read));
    });

  it('leads to each in turns, past one that is gone, and refuses when all are', async () => {
    const balancer = await TcpBalancer.start();
    expect(await answer(balancer.port)).toBe('refused');
    const [a, b] = [await backend('a'), await backend('b')];
    balancer.put('a', a);
    balancer.put('b', b);
    expect(new Set([await answer(balancer.port), await answer(balancer.port)])).toEqual(new Set(['a', 'b']));
    await new Promise((closed) => servers.shift()!.close(closed));
    expect([await answer(balancer.port), await answer(balancer.port)]).toEqual(['b', 'b']);
    await balancer.stop();
  });
});
