import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAddress, WIRE_VERSION } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { EnrolmentServiceClient, type PollRequest } from '@coferment/proto';
import { credentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WireClient, type WirePace } from '../../client-agent/src/connection/wire.client.js';
import { openChannel } from '../../client-agent/src/connection/wire.channel.js';
import { examine } from '../../client-agent/src/doctor/doctor.js';
import { readSubject } from '../../client-agent/src/doctor/doctor.subject.js';
import type { Finding } from '../../client-agent/src/connection/finding.js';
import { joinConsortium } from '../../client-agent/src/enrolment/join.flow.js';
import type { Membership } from '../../client-agent/src/enrolment/membership.file.js';
import { endpointOf } from '../../client-agent/src/enrolment/renewal.flow.js';
import { KeyStore } from '../../client-agent/src/keys/key.store.js';
import { readTlsCredential } from '../../client-agent/src/keys/site.identity.js';
import { TcpRelay } from '../../client-agent/src/testing/tcp.relay.fixture.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';

const PASSPHRASE = 'a passphrase for tests';

let coordinator: TestCoordinator;
let port: number;
let relay: TcpRelay;
let member: Membership;
let folder: string;
const clients: WireClient[] = [];

beforeAll(async () => {
  await loadCrypto();
  coordinator = await new TestCoordinator({ listen: '[::]:0' }).start();
  port = parseAddress(coordinator.running.address)!.port;
  relay = await TcpRelay.start({ host: '::1', port }, { host: '::1', port: 0 });
  folder = join(temporaryFolder('network'), 'site');
  member = await join_('alpha', `[::1]:${relay.port}`, folder);
});

afterEach(() => {
  relay.restore();
  for (const client of clients.splice(0)) client.close();
});

afterAll(async () => {
  await relay.stop();
  await coordinator.remove();
});

async function inviteFile(site: string, address: string): Promise<string> {
  const file = join(temporaryFolder('network-invite'), 'invite.json');
  writeFileSync(file, await coordinator.invite(site, address));
  return file;
}

async function join_(site: string, address: string, into: string): Promise<Membership> {
  return joinConsortium({ folder: into, inviteFile: await inviteFile(site, address), passphrase: PASSPHRASE });
}

function clientOf(pace?: WirePace): WireClient {
  const certificate = readTlsCredential(KeyStore.open(join(folder, 'keys'), PASSPHRASE));
  const client = new WireClient(endpointOf(member), certificate, pace);
  clients.push(client);
  return client;
}

const poll = (client: WireClient, change: Partial<PollRequest> = {}) =>
  client.poll(
    { wireVersion: WIRE_VERSION, waitMs: 100, positions: [], known: '', authorities: 0, ...change },
    new AbortController().signal,
  );

describe('a coordinator on [::]', () => {
  it('is joined and polled at an IPv6 address, and called by its operator', async () => {
    expect(coordinator.running.address).toBe(`[::]:${port}`);
    expect(member.coordinator).toBe(`[::1]:${relay.port}`);
    expect((await poll(clientOf())).instructions).toEqual([]);
  });

  it('is reached by IPv4 and by name as well', async () => {
    for (const [site, host] of [
      ['four', '127.0.0.1'],
      ['named', 'localhost'],
    ] as const)
      expect(await join_(site, `${host}:${port}`, join(temporaryFolder('network'), site))).toMatchObject({
        coordinator: `${host}:${port}`,
      });
  });

  it('makes no invite without being told its address', async () => {
    await expect(coordinator.invite('nobody')).rejects.toThrow(/\[::\]:\d+, which no site can dial\. Say with --address/);
  });
});

describe('a line on which nothing moves', () => {
  it('is kept open by pings that the coordinator answers, also without a call', async () => {
    const channel = openChannel(endpointOf(member), undefined, { timeMs: 100, timeoutMs: 10_000 });
    const client = new EnrolmentServiceClient(member.coordinator, credentials.createInsecure(), { channelOverride: channel });
    const hello = () =>
      new Promise<string>((resolve, reject) =>
        client.hello({ wireVersion: WIRE_VERSION, agentTimeMs: Date.now() }, (error, answer) =>
          error === null ? resolve(answer.consortium) : reject(error),
        ),
      );
    try {
      await hello();
      const { connections, sentBytes } = relay;
      // A server that counts pings as an attack closes the connection after a few.
      while (relay.sentBytes < sentBytes + 20 * 17) await sleep(50);
      await hello();
      expect(relay.connections).toBe(connections);
    } finally {
      client.close();
    }
  });

  it('is noticed by its silence, and left for a new one', async () => {
    const client = clientOf({ keepalive: { timeMs: 200, timeoutMs: 300 } });
    const { owed } = await poll(client);
    const held = poll(client, { waitMs: 20_000, known: owed }).then(
      () => 'answered',
      (error: Error) => error.message,
    );
    await sleep(100);
    const { connections } = relay;
    relay.forget();
    // Not the deadline of the poll, which comes 50 s later.
    expect(await held).toMatch(/does not answer/);
    expect(await held).not.toMatch(/deadline/i);
    await poll(client);
    expect(relay.connections).toBe(connections + 1);
  });

  it.each<[string, (client: WireClient) => Promise<unknown>]>([
    ['poll', poll],
    // What an agent that has lost its connection asks first; it never comes to a poll while this fails.
    ['look into the ledger', (client) => client.ledgerEntries(0, 1)],
  ])('that falls silent in the middle of a handshake is left after one %s', async (_, call) => {
    const client = clientOf({ callMs: 2000 });
    relay.silence();
    await expect(call(client)).rejects.toMatchObject({ code: 'unreachable' });
    // What was begun in the silence never gets an answer: a connection of its own is needed.
    relay.forget();
    await call(client);
  });
});

describe('a line that was cut', () => {
  it('and is whole again is used again without anybody doing anything', async () => {
    const client = clientOf();
    await poll(client);
    relay.refuse();
    await expect(poll(client)).rejects.toMatchObject({ code: 'unreachable' });
    relay.restore();
    for (;;) {
      try {
        await poll(client);
        break;
      } catch (error) {
        // The channel waits a little before each try.
        expect(error).toMatchObject({ code: 'unreachable' });
        await sleep(100);
      }
    }
  });

  it('while a site joins leaves an invite that still works, once', async () => {
    const file = await inviteFile('cut', `[::1]:${relay.port}`);
    const data = join(temporaryFolder('network'), 'cut');
    const input = { folder: data, inviteFile: file, passphrase: PASSPHRASE };
    // Enough for the greeting: what is lost is somewhere in the join itself.
    relay.afterSending(1500, () => relay.refuse());
    await expect(joinConsortium(input)).rejects.toMatchObject({ code: 'unreachable' });
    expect(existsSync(join(data, 'member.json'))).toBe(false);
    relay.restore();
    expect(await joinConsortium(input)).toMatchObject({ site: 'cut' });
    await expect(joinConsortium({ ...input, folder: join(temporaryFolder('network'), 'second') })).rejects.toThrow(/invite/);
  });
});

describe('the wire version', () => {
  it('of a poll may be one minor version apart, and no more', async () => {
    const client = clientOf();
    await expect(poll(client, { wireVersion: '1.2' })).resolves.toMatchObject({ instructions: [] });
    await expect(poll(client, { wireVersion: '1.3' })).rejects.toMatchObject({
      code: 'version-mismatch',
      message: expect.stringMatching(/agent speaks wire version 1\.3, the coordinator 1\.1/),
    });
  });

  it.each(['hello', 'join', 'renew'] as const)('of %s too: both are named', async (call) => {
    const channel = openChannel(endpointOf(member));
    const client = new EnrolmentServiceClient(member.coordinator, credentials.createInsecure(), { channelOverride: channel });
    const request = (wireVersion: string) => {
      const empty = Buffer.alloc(0);
      const rest = { site: '', inviteId: '', inviteSecret: empty, identityKey: empty, certificateRequest: empty, possession: empty };
      const send = client[call].bind(client) as (message: object, answered: (error: Error | null) => void) => void;
      return new Promise<string>((resolve) =>
        send({ ...rest, wireVersion, agentTimeMs: Date.now() }, (error) => resolve(error?.message ?? '')),
      );
    };
    try {
      for (const apart of ['1.3', '2.0', '0.9'])
        expect(await request(apart)).toMatch(new RegExp(`version ${apart}, the coordinator 1\\.1`));
      for (const near of ['1.0', '1.1', '1.2']) expect(await request(near)).not.toMatch(/version/);
    } finally {
      client.close();
    }
  });
});

describe('doctor', () => {
  const examined = async (subject: Parameters<typeof readSubject>[0], more: Parameters<typeof examine>[1] = {}): Promise<Finding[]> => {
    const findings: Finding[] = [];
    for await (const finding of examine(readSubject(subject), { probe: { environment: {} }, ...more })) findings.push(finding);
    return findings;
  };
  const results = (findings: Finding[]) => Object.fromEntries(findings.map(({ check, result }) => [check, result]));
  const passphraseFile = (text: string): string => {
    const file = join(temporaryFolder('network-passphrase'), 'passphrase');
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const WELL = {
    'name resolution': 'pass',
    proxy: 'skipped',
    TCP: 'pass',
    TLS: 'pass',
    authority: 'pass',
    'server name': 'pass',
    'wire version': 'pass',
    clock: 'pass',
  };

  it('finds a member well, and looks at everything it is given', async () => {
    const findings = await examined({ data: folder }, { passphraseFile: passphraseFile(PASSPHRASE) });
    expect(results(findings)).toEqual({
      ...WELL,
      certificate: 'pass',
      disk: 'pass',
      'file rights': 'pass',
      'key store': 'pass',
      journal: 'pass',
      'data mapping': 'skipped',
    });
  });

  it('finds the way of an invite before anything is made of it', async () => {
    const invite = await inviteFile('later', `[::1]:${relay.port}`);
    expect(results(await examined({ invite }))).toEqual({ ...WELL, certificate: 'skipped', disk: 'skipped', 'data mapping': 'skipped' });
    expect(await join_('later', `[::1]:${relay.port}`, join(temporaryFolder('network'), 'later'))).toMatchObject({ site: 'later' });
  });

  it('says that a passphrase is wrong, that a journal is damaged and that records cannot be read', async () => {
    const damaged = join(folder, 'journal.sqlite');
    writeFileSync(damaged, randomBytes(8192), { mode: 0o600 });
    const findings = await examined(
      { data: folder },
      { passphraseFile: passphraseFile('another passphrase'), mapping: join(folder, 'member.json'), records: folder },
    );
    expect(results(findings)).toMatchObject({ ...WELL, 'key store': 'fail', journal: 'fail', 'data mapping': 'fail' });
    rmSync(damaged);
    expect(JSON.stringify(findings)).not.toContain('another passphrase');
  });

  it('names what it could not look at because the way ends earlier', async () => {
    relay.refuse();
    const findings = await examined({ data: folder });
    // The reset comes before or after the connection counts as open.
    expect(findings.filter(({ result }) => result === 'fail').map(({ check }) => check)).toMatchObject([
      expect.stringMatching(/^T(CP|LS)$/),
    ]);
    expect(results(findings)).toMatchObject({
      authority: 'skipped',
      'server name': 'skipped',
      'wire version': 'skipped',
      clock: 'skipped',
    });
  });

  it('tells a silent coordinator behind an open way', async () => {
    // TLS is answered by whoever holds the key, the call by nobody.
    const { silent, stop } = await answersOnlyTls();
    try {
      const file = join(temporaryFolder('network'), 'member.json');
      writeFileSync(file, readFileSync(join(folder, 'member.json'), 'utf8').replace(member.coordinator, `[::1]:${silent}`));
      const findings = await examined({ data: join(file, '..') }, { probe: { environment: {}, timeoutMs: 2000 } });
      expect(results(findings)).toMatchObject({ TLS: 'pass', authority: 'pass', 'wire version': 'fail' });
    } finally {
      await stop();
    }
  });

  /** Passes on the first connection, which is the probe's, and takes every later one without a word. */
  async function answersOnlyTls(): Promise<{ silent: number; stop: () => Promise<void> }> {
    const behind = await TcpRelay.start({ host: '::1', port }, { host: '::1', port: 0 });
    const taken: Socket[] = [];
    const front = createServer((near) => {
      taken.push(near.on('error', () => undefined));
      if (taken.length > 1) return;
      const far = connect(behind.port, '::1').on('error', () => undefined);
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((open) => front.listen(0, '::1', open));
    const stop = async () => {
      for (const socket of taken) socket.destroy();
      await behind.stop();
      await new Promise((closed) => front.close(closed));
    };
    return { silent: (front.address() as AddressInfo).port, stop };
  }
});
