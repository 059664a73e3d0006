import { AGENT_ROUND_TABLE, ROUND_TABLE, RUN_TABLE } from '@coferment/consortium';
import { appendFileSync } from 'node:fs';
import { afterEach, expect, it, vi } from 'vitest';
import { keepDatabases } from './dropped.coordinator.js';
import { movesOf, pointsOf } from './stop.points.js';
import { StopSwitch } from './stop.switch.js';
import { StoppedConsortium } from './stopped.consortium.js';
import { PLAYS } from './scenarios.js';

const say = (...w: unknown[]) => appendFileSync(process.env['TRYLOG'] ?? '/tmp/faults/try.log', w.join(' ') + '\n');
const all = [
  ...pointsOf('coordinator', [...movesOf(RUN_TABLE), ...movesOf(ROUND_TABLE)]),
  ...pointsOf('contributor', movesOf(AGENT_ROUND_TABLE)),
  ...pointsOf('key holder', movesOf(AGENT_ROUND_TABLE)),
];
const names = (process.env['PLAYS'] ?? Object.keys(PLAYS).join()).split(',');
afterEach(() => vi.restoreAllMocks());
it.each(names)('%s', async (name) => {
  keepDatabases();
  const { sites, scenarios } = PLAYS[name]!;
  const t0 = performance.now();
  const time = (what: string) => say(what, Math.round(performance.now() - t0), process.cpuUsage().user / 1e6);
  const stops = new StopSwitch(new Set(all));
  stops.armed = process.env['ARMED'] !== '0';
  const consortium = new StoppedConsortium(stops);
  await consortium.open(sites);
  time('open');
  consortium.watch();
  for (const { plan, moments, ends, name: what } of scenarios) {
    await consortium.launch(plan);
    await consortium.play(moments);
    time(what);
    say(consortium.view.run.state, consortium.view.run.model, stops.covered.size);
    expect(consortium.view.run.state).toBe(ends);
  }
  say([...stops.covered].join('\n'));
  await consortium.close();
});
