import { request } from 'node:http';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lintFamilies, parseExposition } from '../monitoring/exposition.format.ts';
import { SharedBoard, createMember, removeMember } from '../../client-agent/src/rounds/members.fixture.ts';
import { openAgentLog } from '../../client-agent/src/telemetry/agent.log.ts';
import { AgentMonitoring } from '../../client-agent/src/telemetry/agent.monitoring.ts';

const SECRET = 'c2VjcmV0LXJlY29yZA';
let member: ReturnType<typeof createMember>;
let monitoring: AgentMonitoring;
let url: string;
let folder: string;

beforeAll(async () => {
  await loadCrypto();
  folder = mkdtempSync(join(tmpdir(), 'agent-monitor-'));
  member = createMember('a', new SharedBoard(), generateIdentity().publicKey);
  monitoring = new AgentMonitoring();
  const none = { due: 0, running: 0, waiting: 0, failed: 0 };
  url = await monitoring.serve(
    { listen: '127.0.0.1:0', open: false },
    {
      folder,
      journal: member.journal,
      work: () => ({ protocol: { ...none, due: 2 }, training: { ...none, running: 1 } }),
      certificateExpiresMs: () => 2_000_000_000_000,
    },
  );
});
afterAll(() => {
  monitoring.stop();
  removeMember(member);
  rmSync(folder, { recursive: true, force: true });
});

const lines = async () => (await (await fetch(`${url}/metrics`)).text()).split('\n');

describe('the metrics of an agent', () => {
  it('are sound in form and name, and tell of polls, work, bytes and certificate', async () => {
    monitoring.watch.polled(true);
    monitoring.watch.polled(false);
    monitoring.watch.worked('prepareSum', 12.5, 'done');
    monitoring.received('object', 1000);
    const { activity } = member.journal;
    activity.noteOutcome(activity.sending({ name: 'ciphertext', run: 'r1', bytes: 77, digest: 'd'.repeat(64) }).id, 'accepted');
    const text = await (await fetch(`${url}/metrics`)).text();
    const families = parseExposition(text);
    expect(lintFamilies(families.filter(({ name }) => name.startsWith('coferment_')))).toEqual([]);
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        'coferment_agent_polls_total{result="answered"} 1',
        'coferment_agent_polls_total{result="failed"} 1',
        'coferment_agent_work_duration_seconds_sum{instruction="prepareSum",result="done"} 12.5',
        'coferment_agent_received_bytes_total{class="object"} 1000',
        'coferment_agent_sent_bytes_total{class="ciphertext"} 77',
        'coferment_agent_work{lane="training",state="running"} 1',
        'coferment_agent_work{lane="protocol",state="due"} 2',
        'coferment_agent_certificate_expiry_timestamp_seconds 2000000000',
      ]),
    );
  });

  it('count what has ever left once, however often somebody asks', async () => {
    await lines();
    expect(await lines()).toContain('coferment_agent_sent_bytes_total{class="ciphertext"} 77');
  });

  it('say nothing of the records: not how many rows, no loss, not how much was clipped', async () => {
    const trained = {
      event: 'trained',
      run: 'r1',
      round: 1,
      sum: 6,
      kind: 'update',
      rows: 987_654,
      holdoutRows: 87_654,
      trainLoss: 0.76543,
    };
    monitoring.told({ ...trained, saturated: 765_432 } as Parameters<AgentMonitoring['told']>[0]);
    const text = (await lines()).join('\n');
    expect(text).toContain('coferment_agent_trainings_total{kind="update"} 1');
    expect(text).not.toMatch(/987654|87654|76543/);
  });
});

describe('the readiness of an agent', () => {
  it('is that the coordinator answers it now, not that it did before a restart', async () => {
    member.journal.activity.connection('connected', '');
    const ask = async () => {
      const answer = await fetch(`${url}/readyz`);
      return { status: answer.status, body: (await answer.json()) as { reasons: string[] } };
    };
    expect(await ask()).toMatchObject({ status: 503, body: { reasons: ['The coordinator has not answered yet.'] } });
    monitoring.told({ event: 'connected' });
    expect(await ask()).toMatchObject({ status: 200, body: { reasons: [] } });
    monitoring.told({ event: 'disconnected', message: 'no route' });
    expect((await ask()).body.reasons).toEqual(['The coordinator does not answer: no route']);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('the port of an agent', () => {
  it('is for this machine, unless the site says otherwise', async () => {
    for (const listen of ['0.0.0.0:0', '[::]:0', '192.0.2.7:0', 'nonsense'])
      await expect(new AgentMonitoring().serve({ listen, open: false }, undefined as never)).rejects.toMatchObject({
        code: 'metrics-address',
      });
  });

  it('answers no page that has found its way here by another name, and nothing but its three paths', async () => {
    const rebound = await new Promise((resolve) => {
      const options = { host: '127.0.0.1', port: new URL(url).port, path: '/metrics', headers: { host: 'rebound.example' } };
      request(options, ({ statusCode }) => resolve(statusCode)).end();
    });
    expect(rebound).toBe(403);
    for (const path of ['/', '/metrics/', '/../metrics?x']) expect((await fetch(`${url}${path}`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(404);
  });
});

describe('the log of an agent', () => {
  it('has closed fields and bounded texts, whatever an event carries besides, and is for its owner only', () => {
    const log = openAgentLog(folder, 'alder', {});
    log.info({ event: 'applied', run: 'r1', sum: 4, record: SECRET, vector: Buffer.from(SECRET), model: { weights: SECRET } }, 'applied');
    log.info({ event: 'refused', run: 'r1', message: 'y'.repeat(100_000) }, 'refused');
    const text = readFileSync(join(folder, 'agent.log'), 'utf8');
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain([...Buffer.from(SECRET)].slice(0, 5).join());
    expect(text.length).toBeLessThan(4000);
    expect(JSON.parse(text.split('\n')[0]!)).toMatchObject({ site: 'alder', event: 'applied', run: 'r1', sum: 4, msg: 'applied' });
    expect(statSync(join(folder, 'agent.log')).mode & 0o077).toBe(0);
  });
});
