import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ProcessGroup } from './process.group.js';

const folder = mkdtempSync(join(tmpdir(), 'coferment-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const group = new ProcessGroup();
/** Guards against a hang only: a loaded machine takes seconds to start a process. */
const HANG_MS = 30_000;

afterEach(async () => {
  for (const pid of group.pids) process.kill(pid, 'SIGKILL');
  await pause(20);
});

function program(name: string, source: string) {
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, source);
  return { name, script, args: [], logFile: join(folder, `${name}.log`) };
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  const endMs = Date.now() + HANG_MS;
  while (alive(pid) && Date.now() < endMs) await pause(50);
  return !alive(pid);
}

describe('a process of the demo', () => {
  it('reports its JSON lines as events and keeps everything it printed in its log', async () => {
    const server = group.start(
      program(
        'server',
        `console.log('hello'); console.log('{broken'); console.log('{"event":"listening","port":7}'); setInterval(() => {}, 1000);`,
      ),
    );
    const event = await server.event((candidate) => candidate['event'] === 'listening', 'listening', HANG_MS);
    expect(event).toEqual({ event: 'listening', port: 7 });
    await server.stop();
    expect(readFileSync(join(folder, 'server.log'), 'utf8')).toContain('hello\n{broken\n{"event":"listening","port":7}\n');
  });

  it('fails a wait with its last words when it ends first', async () => {
    const server = group.start(program('failing', `console.error('the folder is locked by process 12'); process.exit(1);`));
    await expect(server.event(() => true, 'listening', HANG_MS)).rejects.toMatchObject({
      code: 'process-failed',
      message: expect.stringContaining('failing ended with exit code 1: the folder is locked by process 12'),
    });
  });

  it('gives up a wait after its time', async () => {
    const server = group.start(program('silent', 'setInterval(() => {}, 1000);'));
    await expect(server.event(() => true, 'serving', 300)).rejects.toMatchObject({ code: 'stalled' });
  });

  it('insists when a process ignores the request to stop', async () => {
    const stubborn = group.start(
      program('stubborn', `process.on('SIGTERM', () => {}); console.log('{"event":"up"}'); setInterval(() => {}, 1000);`),
    );
    await stubborn.event(() => true, 'up', HANG_MS);
    expect(await stubborn.stop(200)).toMatchObject({ signal: 'SIGKILL' });
  });

  it('returns what a command printed, and its failure as an error', async () => {
    expect(await group.run(program('answer', `console.log('{"plan":"ab"}')`))).toEqual(['{"plan":"ab"}']);
    await expect(group.run(program('refusal', `console.error('no such plan'); process.exit(1);`))).rejects.toThrow(/no such plan/);
  });
});

describe('when the demo ends', () => {
  it('leaves nothing running and starts nothing more', async () => {
    const closing = new ProcessGroup();
    const servers = ['one', 'two'].map((name) => closing.start(program(name, 'setInterval(() => {}, 1000);')));
    const pids = closing.pids;
    expect(pids).toHaveLength(2);
    await closing.stopAll();
    expect(servers.every((server) => !server.running)).toBe(true);
    expect(pids.filter(alive)).toEqual([]);
    expect(() => closing.start(program('three', ''))).toThrow(/the demo is ending/);
  });

  it('takes its processes with it even when it is killed with SIGKILL', async () => {
    const child = program('orphan', `process.send('up'); setInterval(() => {}, 1000);`);
    const watch = fileURLToPath(new URL('../../bin/parent-watch.js', import.meta.url));
    const parent = program(
      'parent',
      `import { spawn } from 'node:child_process';
       const child = spawn(process.execPath, ['--import', ${JSON.stringify(watch)}, ${JSON.stringify(child.script)}], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
       child.once('message', () => console.log(child.pid)); setInterval(() => {}, 1000);`,
    );
    const killed = spawn(process.execPath, [parent.script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const orphan = await new Promise<number>((resolve) => killed.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))));
    expect(alive(orphan)).toBe(true);
    killed.kill('SIGKILL');
    expect(await gone(orphan)).toBe(true);
  });
});
