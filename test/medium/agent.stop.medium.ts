import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeRecords } from '../../client-agent/src/testing/site.records.fixture.js';
import { TcpRelay } from '../../client-agent/src/testing/tcp.relay.fixture.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { AGENT } from '../e2e/command.runner.js';
import { JoinedAgent, PASSPHRASE } from './joined.agent.fixture.js';

const LONGEST_STOP_MS = 10_000;

describe('the process of an agent that is told to stop', () => {
  const coordinator = new TestCoordinator();
  let relay: TcpRelay;
  let args: string[];

  beforeAll(async () => {
    await coordinator.start();
    const port = Number(coordinator.running.address.split(':').at(-1));
    relay = await TcpRelay.start({ host: '127.0.0.1', port });
    const agent = await JoinedAgent.join(await coordinator.invite('alpha', `127.0.0.1:${relay.port}`));
    const records = temporaryFolder('stopped-agent');
    mkdirSync(records, { recursive: true });
    const { mappingFile } = writeRecords(records);
    const passphrase = join(records, 'passphrase');
    writeFileSync(passphrase, `${PASSPHRASE}\n`, { mode: 0o600 });
    args = ['serve', '--data', agent.folder, '--mapping', mappingFile, '--records', records, '--passphrase-file', passphrase, '--json'];
  });
  afterAll(async () => {
    await relay.stop();
    await coordinator.remove();
  });

  /** @param before what happens between its first answer and the signal */
  async function stopAfter(before: () => Promise<void>): Promise<{ code: number | null; tookMs: number; text: string }> {
    const child = spawn(process.execPath, ['--no-warnings', AGENT, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => child.kill('SIGKILL'));
    let text = '';
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('"connected"')) resolve();
      });
      void ended.then((code) => reject(new Error(`it ended with ${code} before it was connected`)));
    });
    await before();
    const beganMs = performance.now();
    child.kill('SIGTERM');
    const code = await ended;
    return { code, tookMs: performance.now() - beganMs, text };
  }

  it('ends in order from a held poll', async () => {
    const { code, tookMs } = await stopAfter(() => sleep(300));
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(LONGEST_STOP_MS);
  });

  it('ends in time when the coordinator says nothing', async () => {
    const { tookMs } = await stopAfter(async () => {
      relay.silence();
      await sleep(1000);
    });
    expect(tookMs).toBeLessThan(LONGEST_STOP_MS);
    relay.forget();
  });

  it('tells a coordinator that is stopped once, however often it tries again', async () => {
    const { text } = await stopAfter(async () => {
      await coordinator.stop();
      await sleep(3000);
    });
    expect(text.match(/"disconnected"/g)).toHaveLength(1);
    expect(text).not.toContain('"refused"');
    await coordinator.start();
  });
});
