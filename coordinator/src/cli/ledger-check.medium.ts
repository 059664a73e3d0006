import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Database } from '../persistence/database.js';
import { openDatabase } from '../persistence/persistence.module.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';
import { operatorProgram } from './program.js';

/** Runs the command in this process. What it prints for programs; people are told more, and how far it is. */
async function check(folder: string): Promise<{ exitCode: number; printed: string }> {
  const printed: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      if (stream === process.stdout) printed.push(String(text));
      return true;
    }),
  );
  process.exitCode = 0;
  try {
    await operatorProgram().parseAsync(['node', 'coferment', 'ledger', 'check', '--data', folder, '--json']);
    return { exitCode: process.exitCode, printed: printed.join('') };
  } finally {
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
  }
}

describe.skipIf(process.env['DATABASE_URL'])('coferment ledger check', () => {
  const coordinator = new TestCoordinator();
  const { folder } = coordinator;
  beforeAll(async () => {
    await coordinator.start();
    await coordinator.invite('alpha');
  });
  afterAll(() => coordinator.remove());

  it('does not touch the database of a coordinator that runs', async () => {
    const { exitCode, printed } = await check(folder);
    expect(exitCode).toBe(1);
    expect(printed).toContain('folder-locked');
  });

  it('finds nothing in a ledger as it was, and names a changed row, with which the coordinator does not start', async () => {
    await coordinator.stop();
    expect(await check(folder)).toEqual({ exitCode: 0, printed: `${JSON.stringify({ entries: 2, published: 2, problems: [] })}\n` });

    const flip = 'UPDATE ledger_entry SET entry = set_byte(entry, 40, get_byte(entry, 40) # 1) WHERE index = 1';
    const change = async () => {
      const database = await openDatabase({ folder });
      await database.transaction((manager) => manager.query(flip));
      await database.close();
    };
    await change();
    const { exitCode, printed } = await check(folder);
    expect(exitCode).toBe(1);
    expect(JSON.parse(printed)).toMatchObject({ problems: [expect.stringMatching('^Entry 1: ')] });
    await expect(coordinator.start()).rejects.toMatchObject({
      code: 'log-forked',
      message: expect.stringContaining('coferment ledger check'),
    });

    await change();
    expect((await check(folder)).exitCode).toBe(0);
    await coordinator.start();
  });

  it('makes no database where there is none, and says where else it may be', async () => {
    await coordinator.stop();
    const [database, elsewhere] = [join(folder, 'database'), join(folder, 'elsewhere')];
    renameSync(database, elsewhere);
    const { exitCode, printed } = await check(folder);
    expect(exitCode).toBe(1);
    expect(printed).toContain('DATABASE_URL');
    expect(existsSync(database)).toBe(false);
    renameSync(elsewhere, database);
  });

  it('changes nothing in a database of an older version, and says that it needs a start first', async () => {
    const remember = "SELECT count(*)::int AS made FROM migrations WHERE name LIKE 'ShownOffers%'";
    const older = await openDatabase({ folder });
    await older.transaction((manager) => manager.query("DELETE FROM migrations WHERE name LIKE 'ShownOffers%'"));
    await older.transaction((manager) => manager.query('ALTER TABLE checkpoint_offer DROP COLUMN is_shown'));
    await older.close();
    const { exitCode, printed } = await check(folder);
    expect(exitCode).toBe(1);
    expect(printed).toContain('start the coordinator once');
    await coordinator.start();
    const rows = await coordinator.running.context.get(Database).transaction((manager) => manager.query(remember));
    expect(rows).toEqual([{ made: 1 }]);
  });

  it('says where it finds no consortium', async () => {
    const { exitCode, printed } = await check(join(folder, 'objects'));
    expect(exitCode).toBe(1);
    expect(printed).toContain('folder-unusable');
  });
});
