import { setTimeout as sleep } from 'node:timers/promises';
import { signStatement } from '@coferment/consortium';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TcpRelay } from '../../client-agent/src/testing/tcp.relay.fixture.js';
import { readLedger, statementsOf } from '../../coordinator/src/cli/ledger.reader.js';
import { ConsortiumIdentity } from '../../coordinator/src/identity/consortium.identity.js';
import { Database } from '../../coordinator/src/persistence/database.js';
import { whenItAnswers } from '../../coordinator/src/persistence/server.start.js';
import { PublicationService } from '../../coordinator/src/publication/publication.service.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../coordinator/src/testing/scripted-site.fixture.js';
import { ServerDatabase } from '../../coordinator/src/testing/server-database.fixture.js';
import { Presence } from '../../coordinator/src/rounds/presence.js';
import { KeptTime } from '../../coordinator/src/runs/kept.time.js';
import { Clock } from '../../coordinator/src/telemetry/clock.js';
import { Health } from '../../coordinator/src/telemetry/health.js';
import { runInTraining, workPatiently } from './patient.sites.fixture.js';

const SERVER = process.env['DATABASE_URL'];
/** A hanging transaction is cut after 15 s, and a connection is waited for 10 s. */
const LONGEST_ANSWER_MS = 17_000;

describe.skipIf(SERVER === undefined || SERVER === '')('a coordinator whose PostgreSQL server goes away (needs DATABASE_URL)', () => {
  let database: ServerDatabase;
  let relay: TcpRelay;
  let coordinator: TestCoordinator;
  let sites: ScriptedSite[];
  let run: string;

  beforeAll(async () => {
    database = new ServerDatabase(SERVER!);
    await database.create();
    const { hostname, port } = new URL(SERVER!);
    relay = await TcpRelay.start({ host: hostname, port: Number(port || 5432) });
    const databaseUrl = Object.assign(new URL(database.url), { hostname: '127.0.0.1', port: String(relay.port) }).href;
    coordinator = await new TestCoordinator({ databaseUrl }).start();
    ({ sites, run } = await runInTraining(coordinator));
  });
  afterAll(async () => {
    relay.restore();
    for (const site of sites) site.calls.close();
    await coordinator.remove();
    await relay.stop();
    await database.drop();
  });

  const health = () => coordinator.running.context.get(Health).report();
  const failure = async () => {
    const startedMs = performance.now();
    const error: unknown = await sites[0]!.calls.poll([], '', 0).catch((refusal: unknown) => refusal);
    return { error, tookMs: performance.now() - startedMs };
  };
  const untilReady = async () => {
    for (let turn = 0; turn < 200 && !health().ready; turn++) await sleep(100);
    return health();
  };

  it('says so at once where connections are refused, without a word of its inside, and is ready again by itself', async () => {
    expect(await untilReady()).toMatchObject({ ready: true, state: 'ready' });
    relay.refuse();
    const { error, tookMs } = await failure();
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/database of the coordinator.*Try again/) as string,
    });
    expect((error as Error).message).not.toMatch(/ECONN|postgres|node_modules/i);
    expect(tookMs).toBeLessThan(3000);
    expect(health()).toMatchObject({ live: true, ready: false, state: 'degraded' });
    relay.restore();
    expect(await untilReady()).toMatchObject({ ready: true, state: 'ready' });
    await expect(sites[0]!.calls.poll([], '', 0)).resolves.toBeDefined();
  });

  it('takes nobody for absent who could not be heard meanwhile', async () => {
    const [alpha] = sites as [ScriptedSite];
    await alpha.calls.poll([], '', 0);
    relay.refuse();
    await sleep(5000);
    relay.restore();
    expect(await untilReady()).toMatchObject({ ready: true });
    // The next thing that a step would look at.
    await coordinator.running.context.get(KeptTime).nowMs();
    const steadyMs = coordinator.running.context.get(Clock).steadyMs();
    expect([...coordinator.running.context.get(Presence).absent([alpha.member], steadyMs, 3)]).toEqual([]);
  });

  it('answers in bounded time where the line is silent, and does not keep the dead connections', async () => {
    relay.silence();
    const { error, tookMs } = await failure();
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(tookMs).toBeLessThan(LONGEST_ANSWER_MS);
    // What was silent stays so for good; only new connections pass.
    relay.forget();
    expect(await untilReady()).toMatchObject({ ready: true });
    await expect(sites[0]!.calls.poll([], '', 0)).resolves.toBeDefined();
  });

  it('goes on with the run through cuts at any moment, and does nothing twice', async () => {
    const cuts = (async () => {
      for (let cut = 0; cut < 12; cut++) {
        await sleep(150 + 40 * cut);
        relay.refuse();
        await sleep(60);
        relay.restore();
      }
    })();
    const met = await workPatiently(sites, () => sites.every((site) => site.closed));
    await cuts;
    await untilReady();
    expect(await coordinator.run(run)).toMatchObject({ state: 'completed', roundsClosed: 1 });
    const names = statementsOf(await readLedger(coordinator.operator)).map(({ name }) => name);
    const count = (name: string) => names.filter((candidate) => candidate === name).length;
    expect([count('contribution'), count('aggregate'), count('round-frozen'), count('run-closed')]).toEqual([12, 6, 6, 1]);
    expect([...met].every((code) => code === 'unavailable')).toBe(true);
  });

  it('signs what was committed although the answer to the commit was lost', async () => {
    const { context } = coordinator.running;
    const publication = context.get(PublicationService);
    const { operator } = context.get(ConsortiumIdentity);
    const before = publication.size;
    const envelope = signStatement(
      'consortium-founded',
      { consortium: 'another', origin: 'ledger.localhost/another', operatorKey: 'a'.repeat(64), wireVersion: '1.0' },
      operator,
    );
    await context.get(Database).transaction((manager) => publication.append(manager, envelope, operator.publicKey));
    for (let turn = 0; turn < 100 && publication.size === before; turn++) await sleep(100);
    expect(publication.size).toBe(before + 1);
  });

  it.runIf(process.env['RELIABILITY_FULL'] === '1')(
    'gives up a statement that waits for half a minute, and works on when the lock is gone',
    async () => {
      const blocker = new Client({ connectionString: database.url });
      await blocker.connect();
      await blocker.query('BEGIN; LOCK TABLE site IN ACCESS EXCLUSIVE MODE');
      const { error, tookMs } = await failure();
      expect(error).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/too long/) as string });
      expect(tookMs).toBeLessThan(LONGEST_ANSWER_MS);
      await blocker.query('ROLLBACK');
      await blocker.end();
      expect(await untilReady()).toMatchObject({ ready: true });
      await expect(sites[0]!.calls.poll([], '', 0)).resolves.toBeDefined();
    },
  );
});

describe('a coordinator that starts before its database', () => {
  const URL_OF_NOBODY = 'postgres://coferment:hidden@127.0.0.1:9/coferment';
  const refused = () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), { code: 'ECONNREFUSED' }));

  it('waits, says for what, and then says what to do, without the password', async () => {
    const told: string[] = [];
    const started = whenItAnswers(URL_OF_NOBODY, refused, { longestMs: 1500, tell: (text) => void told.push(text) });
    const error = (await started.catch((failure: unknown) => failure)) as Error;
    expect(error).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/127\.0\.0\.1:9\/coferment.*DATABASE_URL/) as string,
    });
    expect(told).toHaveLength(1);
    expect(`${error.message} ${told.join()}`).not.toContain('hidden');
  });

  it('takes the database as soon as it is there, and does not wait over a wrong password', async () => {
    let tries = 0;
    const late = () => (++tries < 3 ? refused() : Promise.resolve('there' as never));
    expect(await whenItAnswers(URL_OF_NOBODY, late, { tell: () => undefined })).toBe('there');
    const wrong = Object.assign(new Error('password authentication failed'), { code: '28P01' });
    await expect(whenItAnswers(URL_OF_NOBODY, () => Promise.reject(wrong), { tell: () => undefined })).rejects.toBe(wrong);
  });
});
