/*
 * Memberships over time, at a real coordinator: one site is replaced and nobody else notices, a site that runs count on is not taken out, an auditor reads and
 * does nothing, and every method answers to its roles only.
 */
import { join } from 'node:path';
import * as proto from '@coferment/proto';
import { signStatement } from '@coferment/consortium';
import { Client, type MethodDefinition, type ServiceDefinition, type ServiceError, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTlsCredential } from '../../client-agent/src/keys/site.identity.js';
import { ACCESS, type Role, allows } from '../../coordinator/src/agent-port/access.roles.js';
import { CODE_KEY } from '../../coordinator/src/agent-port/error.status.js';
import { ask } from '../../coordinator/src/cli/operator.client.js';
import { readLedger, statementsOf } from '../../coordinator/src/cli/ledger.reader.js';
import { unlockOperatorClient } from '../../coordinator/src/identity/consortium.identity.js';
import { Database } from '../../coordinator/src/persistence/database.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { readFolder } from '../../ledger/src/export/index.js';
import { parseVkey, policyOfLogKey, verifyExport } from '@coferment/ledger';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { runCommand, AGENT } from '../e2e/command.runner.js';
import { Member, Operator, PASSPHRASE } from './member.fixture.js';
import { writeFileSync } from 'node:fs';

const coordinator = new TestCoordinator({ charter: { witnessQuorum: 0 } });
const operator = new Operator(coordinator);
const sites = new Map<string, Member>();
let auditor: Member;
let run = '';

beforeAll(async () => {
  await coordinator.start();
  for (const site of ['alpha', 'beta', 'gamma'])
    sites.set(site, await new Member().join(await operator.invite(site, { preAdmitted: true })));
  auditor = await new Member().join(await operator.invite('eve', { preAdmitted: true, role: 'auditor' }));
  run = await coordinator.launch();
});
afterAll(() => coordinator.remove());

const rows = (table: string) =>
  coordinator.running.context
    .get(Database)
    .transaction((manager) => manager.query(`SELECT * FROM ${table} AS entry ORDER BY entry::text`)) as Promise<Record<string, unknown>[]>;

const kinds = async (member: Member): Promise<unknown[]> => {
  const calls = member.calls();
  try {
    return (await calls.poll([], '', 0)).instructions.map(({ kind }) => kind?.$case);
  } finally {
    calls.close();
  }
};

describe('every method', () => {
  const methods = Object.entries(proto)
    .filter(([name]) => name.endsWith('ServiceService'))
    .flatMap(([, definition]) => Object.values(definition as ServiceDefinition));
  /** These change the consortium even without a field. */
  const NOT_TRIED = ['/coferment.v1.OperatorService/RollAuthority', '/coferment.v1.OperatorService/RetireAuthority'];

  /** The code of the answer to an empty message, `ok` without one. */
  function answerTo(client: Client, { path, requestStream, responseStream, ...method }: MethodDefinition<object, object>): Promise<string> {
    const empty = method.requestDeserialize(Buffer.alloc(0));
    const codeOf = (error: ServiceError | null) => (error === null ? 'ok' : String(error.metadata?.get(CODE_KEY)[0] ?? error.code));
    return new Promise((resolve) => {
      const done = (error: ServiceError | null) => resolve(codeOf(error));
      const { requestSerialize, responseDeserialize } = method;
      if (requestStream) {
        const stream = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, done);
        stream.on('error', () => undefined);
        stream.write(empty);
        stream.end();
      } else if (responseStream) {
        const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, empty);
        stream.on('data', () => stream.cancel());
        stream.on('error', done);
        stream.on('end', () => done(null));
      } else client.makeUnaryRequest(path, requestSerialize, responseDeserialize, empty, done);
    });
  }

  function clientOf(role: Role): Client {
    const { coordinator: address, serverName, caCertificate } = auditor.membership;
    const ca = Buffer.from(caCertificate);
    const options = { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName };
    const pair = pairOf(role);
    const tls =
      pair === undefined ? credentials.createSsl(ca) : credentials.createSsl(ca, Buffer.from(pair.key), Buffer.from(pair.certificate));
    return new Client(address, tls, options);
  }

  function pairOf(role: Role): { key: string; certificate: string } | undefined {
    switch (role) {
      case 'stranger':
        return undefined;
      case 'operator': {
        const { privateKey, certificate } = unlockOperatorClient(coordinator.folder, PASSPHRASE);
        return { key: privateKey, certificate };
      }
      case 'site':
        return readTlsCredential(sites.get('beta')!.store);
      case 'auditor':
        return readTlsCredential(auditor.store);
    }
  }

  it.each(['stranger', 'operator', 'site', 'auditor'] as const)('answers to its roles only: %s', async (role) => {
    const client = clientOf(role);
    const wrong: string[] = [];
    expect(methods).toHaveLength(Object.keys(ACCESS).length);
    for (const method of methods) {
      const isOpen = allows(method.path, role) || allows(method.path, 'stranger');
      if (isOpen && NOT_TRIED.includes(method.path)) continue;
      const code = await answerTo(client, method as MethodDefinition<object, object>);
      const refused = role === 'stranger' ? code === 'unauthenticated' : code === 'forbidden';
      if (refused === isOpen) wrong.push(`${method.path}: ${code}`);
    }
    client.close();
    expect(wrong).toEqual([]);
  });
});

describe('an auditor', () => {
  it('is in the ledger as one, and never in a run', async () => {
    const enrolled = statementsOf(await readLedger(coordinator.operator)).filter(({ name }) => name === 'auditor-enrolled');
    expect(enrolled.map(({ predicate }) => predicate)).toMatchObject([{ auditor: 'eve', identityKey: auditor.identityKey }]);
    expect((await coordinator.run(run)).sites).toEqual(['alpha', 'beta', 'gamma']);
    const { operator: client } = coordinator.operator;
    const { plan } = await coordinator.run(run);
    const launched = ask(client.launchRun.bind(client), {
      plan,
      sites: ['alpha', 'beta', 'gamma', 'eve'],
      approveWithinMs: 0,
      startAtMs: 0,
    });
    await expect(launched).rejects.toMatchObject({ code: 'unknown-site' });
  });

  it('reads the published and nothing else', async () => {
    const calls = auditor.calls();
    const { plan } = await coordinator.run(run);
    expect((await calls.download(plan)).length).toBeGreaterThan(0);
    await expect(calls.download('a'.repeat(64))).rejects.toMatchObject({ code: 'unknown-object' });
    calls.close();
  });

  it('takes the whole ledger out, as a site can, and coferment-audit finds that it holds', async () => {
    for (const member of [auditor, sites.get('beta')!]) {
      const folder = temporaryFolder('ledger');
      writeFileSync(join(folder, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
      const flags = ['--out', join(folder, 'out'), '--data', member.folder, '--passphrase-file', join(folder, 'passphrase'), '--json'];
      const { code, stdout, stderr } = await runCommand(AGENT, ['ledger', 'export', ...flags]);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const { logVkey, operatorKey, entries } = JSON.parse(stdout) as { logVkey: string; operatorKey: string; entries: number };
      const report = await verifyExport(readFolder(join(folder, 'out')), { policy: policyOfLogKey(parseVkey(logVkey)), operatorKey });
      expect(report).toMatchObject({ verdict: 'holds', log: { size: String(entries) } });
    }
  });

  it('does not serve', async () => {
    const folder = temporaryFolder('serve');
    writeFileSync(join(folder, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
    const flags = [
      '--data',
      auditor.folder,
      '--mapping',
      'none',
      '--records',
      folder,
      '--passphrase-file',
      join(folder, 'passphrase'),
      '--json',
    ];
    const { code, stdout } = await runCommand(AGENT, ['serve', ...flags]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'not-a-site' } });
  });
});

describe('a site that runs count on', () => {
  it('is not taken out, and the runs are named', async () => {
    const refused = operator.remove('beta');
    await expect(refused).rejects.toMatchObject({ code: 'in-runs', message: expect.stringContaining(run) });
    expect(await operator.member('beta')).toMatchObject({ state: 'enrolled' });
  });

  it('is not there at all for a name that was only invited', async () => {
    const invite = await operator.invite('zeta');
    await operator.remove('zeta');
    expect(await operator.member('zeta')).toBeUndefined();
    await expect(new Member().join(invite)).rejects.toMatchObject({ refusal: 'invite-unknown' });
    const waiting = new Member();
    await expect(waiting.join(await operator.invite('zeta'))).rejects.toMatchObject({ code: 'not-admitted' });
    await operator.remove('zeta');
    expect(await operator.member('zeta')).toBeUndefined();
    await expect(waiting.join()).rejects.toMatchObject({ refusal: 'invite-unknown' });
  });
});

describe('a site that lost its keys', () => {
  it('is replaced under its name, and nothing of anybody else changes', async () => {
    const alpha = sites.get('alpha')!;
    expect(await kinds(alpha)).toEqual(['approvePlan']);
    const others = async () => ({
      // When somebody last polled, and where, is its own doing.
      sites: (await rows('site')).filter(({ site }) => site !== 'alpha').map((row) => ({ ...row, last_poll_ms: 0, polled_at: '' })),
      invites: (await rows('invite')).filter(({ site }) => site !== 'alpha'),
      runs: await rows('run'),
      epochs: await rows('epoch'),
      acts: await rows('act'),
    });
    const before = await others();

    const old = alpha.calls();
    await operator.revoke('alpha', 'store lost');
    const replacement = await new Member().join(await operator.invite('alpha', { preAdmitted: true }));

    expect(await others()).toEqual(before);
    await expect(old.poll([], '', 0)).rejects.toMatchObject({ code: 'unauthenticated' });
    old.close();
    expect(await kinds(sites.get('beta')!)).toEqual(['approvePlan']);

    // The run is between the others and the key that is gone.
    expect(await kinds(replacement)).toEqual([]);
    const calls = replacement.calls();
    const { plan, ordinal, sites: names } = await coordinator.run(run);
    const approval = signStatement(
      'plan-approved',
      { consortium: 'scripted', site: 'alpha', plan, ordinal, sites: names },
      replacement.identity,
    );
    await expect(calls.submit(approval, 'plan-approved')).rejects.toMatchObject({ code: 'forbidden' });
    calls.close();

    // A run that is launched from here on is with the new key.
    const next = await coordinator.launch();
    expect(await kinds(replacement)).toEqual(['approvePlan']);
    await expect(operator.remove('alpha')).rejects.toMatchObject({ code: 'in-runs', message: expect.stringContaining(next) });
    const { operator: client } = coordinator.operator;
    await ask(client.abortRun.bind(client), { run: next, reason: 'test' });
    await operator.remove('alpha', 'contract ended');
    expect(await operator.member('alpha')).toMatchObject({ state: 'revoked' });
    expect(await others()).toMatchObject({ sites: before.sites, invites: before.invites });
  });

  it('leaves a ledger that holds', async () => {
    await operator.revoke('eve', 'term over');
    const acts = statementsOf(await readLedger(coordinator.operator)).map(({ name }) => name);
    expect(acts.slice(0, 2)).toEqual(['consortium-founded', 'charter']);
    expect(acts.filter((name) => name === 'site-revoked')).toHaveLength(2);
    expect(acts.filter((name) => name === 'auditor-revoked')).toHaveLength(1);
    const calls = auditor.calls();
    await expect(calls.download('a'.repeat(64))).rejects.toMatchObject({ code: 'site-revoked' });
    calls.close();
  });
});
