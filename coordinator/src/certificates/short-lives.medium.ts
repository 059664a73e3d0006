import { X509Certificate } from 'node:crypto';
import { type PeerCertificate, connect as connectTls } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { WIRE_VERSION } from '@coferment/consortium';
import { EnrolmentServiceClient } from '@coferment/proto';
import { credentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask } from '../cli/operator.client.js';
import { readFacts } from '../identity/consortium.facts.js';
import { CertifiedSite } from '../testing/certified-site.fixture.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';

const LIFE_MS = 6000;
const good = { instructions: [] };
const coordinator = new TestCoordinator({ certificateLifeMs: LIFE_MS });
let alder: CertifiedSite;

beforeAll(async () => {
  await coordinator.start();
  alder = await CertifiedSite.join(await coordinator.invite('alder'));
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  alder.close();
  await coordinator.remove();
});

/** The certificate that the coordinator shows on a new connection. */
function shown(): Promise<PeerCertificate> {
  const { address, facts } = coordinator.running;
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: facts.authority, servername: facts.serverName, ALPNProtocols: ['h2'] });
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

/** Lets the coordinator look at its clock in the future; TLS keeps to the machine's. */
function later(ms: number): void {
  const { now } = Date;
  vi.spyOn(Date, 'now').mockImplementation(() => now() + ms);
}

const soon = { timeout: 60_000, interval: 200 };

describe("the coordinator's own certificates", () => {
  it('are for its name and for loopback in both address families', async () => {
    const { serverName } = coordinator.running.facts;
    const certificate = new X509Certificate((await shown()).raw);
    for (const host of [serverName, 'localhost']) expect(certificate.checkHost(host)).toBe(host);
    for (const address of ['127.0.0.1', '::1']) expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkHost('operator')).toBeUndefined();
  });

  it('are renewed while it runs, and a call that is held goes on', async () => {
    const first = await shown();
    const operatorBefore = readFacts(coordinator.folder).operatorCertificate;
    await alder.renew();
    const calls = alder.calls();
    const { owed } = await calls.poll([], '', 0);
    const held = calls.poll([], owed, 5000);
    await vi.waitFor(async () => expect((await shown()).fingerprint256).not.toBe(first.fingerprint256), soon);
    await vi.waitFor(() => expect(readFacts(coordinator.folder).operatorCertificate).not.toBe(operatorBefore), soon);
    await expect(held).resolves.toMatchObject(good);
    await coordinator.reconnect();
    const { operator } = coordinator.operator;
    await expect(ask(operator.getStatus.bind(operator), {})).resolves.toMatchObject({ consortium: 'scripted' });
  });

  it('are renewed before the port opens when the coordinator stood still beyond their life, which is kept', async () => {
    const last = Date.parse((await shown()).valid_to);
    await coordinator.stop();
    await sleep(Math.max(last - Date.now(), 0) + 100);
    delete coordinator.options.certificateLifeMs;
    await coordinator.start();
    const peer = await shown();
    expect(Date.parse(peer.valid_to)).toBeGreaterThan(Date.now() - 1000);
    expect(coordinator.running.facts.certificateLifeMs).toBe(LIFE_MS);
    expect(Date.parse(peer.valid_to) - Date.parse(peer.valid_from)).toBeLessThan(2 * LIFE_MS);
  });
});

describe('a certificate that has expired', () => {
  it('opens nothing but Hello, Join and Renew', async () => {
    const refused = { code: 'unauthenticated', message: expect.stringContaining('renew the certificate if it has expired') };
    const expired = alder.calls();
    await expect(expired.poll([], '', 0)).rejects.toMatchObject(refused);
    await expect(expired.uploadState('a'.repeat(64))).rejects.toMatchObject(refused);
    await expect(expired.download('a'.repeat(64))).rejects.toMatchObject(refused);
    const { coordinator: address, serverName, caCertificate } = alder.where;
    const { key, certificate } = alder.pair;
    const tls = credentials.createSsl(Buffer.from(caCertificate), Buffer.from(key), Buffer.from(certificate));
    const client = new EnrolmentServiceClient(address, tls, { 'grpc.ssl_target_name_override': serverName });
    await expect(ask(client.hello.bind(client), { wireVersion: WIRE_VERSION, agentTimeMs: Date.now() })).resolves.toMatchObject({
      consortium: 'scripted',
    });
    const { call } = await alder.renewal();
    await expect(ask(client.renew.bind(client), call)).resolves.toHaveProperty('certificate');
    client.close();
  });

  it('opens nothing on a connection either that was made while it was good', async () => {
    await alder.renew();
    const open = alder.calls();
    await expect(open.poll([], '', 0)).resolves.toMatchObject(good);
    later(LIFE_MS);
    await expect(open.poll([], '', 0)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});
