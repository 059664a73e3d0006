import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseStatement } from '@coferment/consortium';
import { afterAll, describe, expect, it } from 'vitest';
import type { CoordinatorMember } from '../../demo/src/members/coordinator.member.js';
import { type RunView, isFinished } from '../../demo/src/run/run.view.js';
import { SMALL_SITE, plantedPlan, writePlantedRecords } from '../sovereignty/planted.records.js';
import { ReplicatedConsortium } from './replicated.consortium.js';

const SITES = ['site-1', 'site-2', 'site-3'];
const ROUNDS = 6;
const LONGEST_MS = 180_000;

const server = process.env['DATABASE_URL'];

async function comesTo(member: CoordinatorMember, run: string, isSo: (view: RunView) => boolean): Promise<RunView> {
  for (const endMs = Date.now() + LONGEST_MS; Date.now() < endMs; await pause(100)) {
    const view = await member.run(run);
    if (isSo(view)) return view;
  }
  const { state, waitingFor, rounds } = await member.run(run);
  throw new Error(`the run does not go on: ${state}, ${rounds.at(-1)?.state}, waiting for ${waitingFor.join(', ')}`);
}

describe.skipIf(!server)('two coordinators behind a TCP balancer', () => {
  let consortium: ReplicatedConsortium;
  afterAll(() => consortium.stop());

  it('are each killed in mid-round, and every round closes over all sites, once', async () => {
    consortium = new ReplicatedConsortium(server!);
    await consortium.start();
    await consortium.enrol(SITES.map((id) => ({ id, write: (folder) => writePlantedRecords(folder, id, SMALL_SITE) })));
    await consortium.serve();
    const run = await consortium.launch(plantedPlan(ROUNDS).replace('minContributors: 4', 'minContributors: 3'));

    const { coordinator, replica } = consortium;
    for (const [killed, left] of [
      [replica, coordinator],
      [coordinator, replica],
    ] as const) {
      const before = await comesTo(left, run, ({ rounds }) => rounds.at(-1)?.kind === 'update' && rounds.at(-1)?.state !== 'closed');
      await killed.kill();
      // The other one takes the round to its end alone.
      const after = await comesTo(left, run, ({ roundsClosed }) => roundsClosed > before.roundsClosed);
      expect(after.state, 'the run was over before the kill could matter').toBe('running');
      await killed.restart();
    }
    const view = await comesTo(replica, run, isFinished);

    expect(view).toMatchObject({ state: 'completed', roundsClosed: ROUNDS });
    const updates = view.rounds.filter(({ kind }) => kind === 'update');
    expect(updates.map(({ counted }) => counted)).toEqual(updates.map(() => SITES));
    expect(consortium.failures).toEqual([]);
    expect(consortium.balancer.taken.every((connections) => connections > 1)).toBe(true);

    await replica.exportLedger(consortium.folders.ledger);
    const payloads = join(consortium.folders.ledger, 'payloads');
    const statements = readdirSync(payloads).map((file) => parseStatement(readFileSync(join(payloads, file))));
    const sums = statements.flatMap((statement) => (statement.name === 'aggregate' ? [statement.predicate.sum] : []));
    expect(new Set(sums).size).toBe(sums.length);
  });
});
