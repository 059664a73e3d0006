import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../agent-port/error.status.js';
import { LedgerRepository } from '../publication/ledger.repository.js';
import { RunChanges, StaleRun } from '../runs/run.changes.js';
import { RunViews } from '../runs/run.views.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';
import { Database } from './database.js';

const coordinator = new TestCoordinator();
let database: Database;
let run: string;
beforeAll(async () => {
  await coordinator.start();
  database = coordinator.running.context.get(Database);
  const sites = await coordinator.join('alpha', 'beta', 'gamma');
  run = await coordinator.launch();
  for (const site of sites) site.calls.close();
});
afterAll(() => coordinator.remove());

describe('the database', () => {
  it('has the tables of the migrations', async () => {
    const rows = await database.transaction(
      (manager) =>
        manager.query(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`) as Promise<
          { table_name: string }[]
        >,
    );
    const tables = rows.map((row) => row.table_name);
    for (const table of [
      'site',
      'invite',
      'plan',
      'run',
      'act',
      'event',
      'epoch',
      'round',
      'model_state',
      'object',
      'ledger_entry',
      'ledger_head',
      'ledger_tile',
    ]) {
      expect(tables).toContain(table);
    }
  });

  it('gives ledger entries indexes without gaps, also when a transaction in between is taken back', async () => {
    const ledger = new LedgerRepository();
    const append = (text: string, fail: boolean) =>
      database.transaction(async (manager) => {
        const index = await ledger.append(manager, [{ entry: Buffer.from(text), payload: Buffer.from(text) }]);
        if (fail) throw new Error('taken back');
        return index;
      });
    const first = await append('one', false);
    const [second, lost, third] = await Promise.allSettled([append('two', false), append('lost', true), append('three', false)]);
    expect(lost.status).toBe('rejected');
    const indexes = [second, third].map((result) => (result.status === 'fulfilled' ? result.value : -1));
    expect(indexes.toSorted((a, b) => a - b)).toEqual([first + 1, first + 2]);
  });

  it('refuses a change that was decided on an older version of a run', async () => {
    const { context } = coordinator.running;
    const { version } = (await context.get(RunViews).load(run)).run;
    const note = () => context.get(RunChanges).apply(run, version, (change) => change.note('note', { text: 'once' }));
    const results = await Promise.allSettled([note(), note()]);
    expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((result) => result.status === 'rejected')?.reason).toBeInstanceOf(StaleRun);
    // Two coordinators meet so as well: for whoever called this is no fault of theirs.
    expect(refusalOf(results.find((result) => result.status === 'rejected')?.reason)).toMatchObject({ code: 'unavailable' });
  });

  it('refuses a move that the table of runs does not have, and keeps nothing of that transaction', async () => {
    const { context } = coordinator.running;
    const before = (await context.get(RunViews).load(run)).run;
    const illegal = context.get(RunChanges).apply(run, before.version, async (change) => {
      await change.note('note', { text: 'never stored' });
      await change.move('complete', 'too early');
    });
    await expect(illegal).rejects.toMatchObject({ code: 'illegal-transition' });
    expect((await context.get(RunViews).load(run)).run).toEqual(before);
  });
});
