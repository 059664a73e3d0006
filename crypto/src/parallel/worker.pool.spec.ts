import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { WorkerPool } from './worker.pool.js';

const folder = mkdtempSync(join(tmpdir(), 'worker-pool-'));
const MODULE = `
export default async (task) => {
  if (task === 'exit') process.exit(7);
  if (task === 'throw') throw new TypeError('a fault of the program');
  if (task === 'refuse') return { ok: false, code: 'out-of-range', message: 'too much' };
  if (task === 'wait') await new Promise((done) => setTimeout(done, 200));
  return { ok: true, result: 'did ' + task };
};`;
const module = join(folder, 'tasks.mjs');
writeFileSync(module, MODULE);

let pool: WorkerPool<string, string>;
const poolOf = (path: string, threads = 1) => (pool = new WorkerPool({ what: 'tests', module: pathToFileURL(path).href, threads }));
afterEach(() => pool.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a thread', () => {
  it('does its tasks and refuses with a code', async () => {
    poolOf(module);
    expect(await Promise.all(['a', 'b', 'c'].map((task) => pool.run(task)))).toEqual(['did a', 'did b', 'did c']);
    await expect(pool.run('refuse')).rejects.toMatchObject({ name: 'CryptoError', code: 'out-of-range', message: 'too much' });
    expect(await pool.run('d')).toBe('did d');
  });

  it('that dies takes what waits for it along, and the next task has a new one', async () => {
    poolOf(module);
    const lost = await Promise.allSettled(['exit', 'a', 'b'].map((task) => pool.run(task)));
    for (const outcome of lost) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'worker-lost' } });
      expect(String((outcome as PromiseRejectedResult).reason)).toMatch(/thread for tests was lost: .*code: 7/);
    }
    expect(await pool.run('c')).toBe('did c');
  });

  it('that fails otherwise is lost too, with the reason', async () => {
    poolOf(module, 2);
    await expect(pool.run('throw')).rejects.toThrow(/a fault of the program/);
    expect(await pool.run('a')).toBe('did a');
  });

  it('that cannot start fails its tasks instead of letting them wait', async () => {
    poolOf(join(folder, 'missing.mjs'));
    const lost = await Promise.allSettled([pool.run('a'), pool.run('b')]);
    for (const outcome of lost) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'worker-lost' } });
    await expect(pool.run('c')).rejects.toMatchObject({ code: 'worker-lost' });
  });
});

it('a closed pool ends what is under way and takes nothing more', async () => {
  poolOf(module);
  const waiting = pool.run('wait');
  setTimeout(() => void pool.close(), 50);
  await expect(waiting).rejects.toThrow(/the pool was closed/);
  await expect(pool.run('a')).rejects.toThrow(/the pool is closed/);
});
