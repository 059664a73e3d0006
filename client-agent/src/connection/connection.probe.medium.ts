import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createSecureServer } from 'node:http2';
import { createServer as createTlsServer } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AgentError } from '../agent.error.js';
import { explainUnreachable, probe } from './connection.probe.js';
import type { Finding } from './finding.js';
import type { Endpoint } from './wire.channel.js';

const SECRET = 'hush-hush';
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Short where an answer never comes; a loaded machine takes longer for one that does. */
const SILENCE_MS = 400;
const TIMEOUT_MS = 20_000;

interface Issuer {
  name: string;
  keys: webcrypto.CryptoKeyPair;
  pem: string;
}

async function authority(name: string): Promise<Issuer> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  return { name, keys, pem: certificate.toString('pem') };
}

async function certificateOf(issuer: Issuer, host: string, fromMs = -DAY_MS, untilMs = DAY_MS): Promise<{ key: string; cert: string }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${host}`,
    issuer: issuer.name,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() + fromMs),
    notAfter: new Date(Date.now() + untilMs),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
  });
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { key, cert: certificate.toString('pem') };
}

let consortium: Issuer;
let firewall: Issuer;
let servers: Server[] = [];
let sockets: Socket[] = [];

beforeAll(async () => {
  x509.cryptoProvider.set(webcrypto as never);
  consortium = await authority('CN=consortium authority');
  firewall = await authority('CN=Plant Firewall TLS Inspection, O=Plant IT');
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  servers = [];
  sockets = [];
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((open) => server.listen(0, '127.0.0.1', open));
  return (server.address() as AddressInfo).port;
}

function endpoint(port: number, host = '127.0.0.1'): Endpoint {
  return { address: `${host}:${port}`, serverName: 'coordinator.test', caCertificate: consortium.pem };
}

function find(findings: Finding[], check: Finding['check']): Finding | undefined {
  return findings.find((finding) => finding.check === check);
}

const coordinator = async () => createSecureServer(await certificateOf(consortium, 'coordinator.test'));
const run = (where: Endpoint, environment: Record<string, string> = {}, timeoutMs = TIMEOUT_MS) => probe(where, { environment, timeoutMs });

describe('the way to a coordinator', () => {
  it('that is open is found open, step by step', async () => {
    const findings = await run(endpoint(await listening(await coordinator())));
    expect(findings.map(({ check, result }) => `${check}: ${result}`)).toEqual([
      'name resolution: pass',
      'proxy: skipped',
      'TCP: pass',
      'TLS: pass',
      'authority: pass',
      'server name: pass',
    ]);
    expect(find(findings, 'TLS')?.found).toMatch(/TLSv1\.[23], HTTP\/2/);
    expect(find(findings, 'authority')?.found).toMatch(/SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}/);
  });

  it('begins with a name; all its addresses are told', async () => {
    const findings = await run(endpoint(await listening(await coordinator()), 'localhost'));
    expect(find(findings, 'name resolution')).toMatchObject({
      result: 'pass',
      found: expect.stringMatching(/^localhost is .*127\.0\.0\.1/),
    });
  });

  it('ends at a name that nobody knows', async () => {
    const findings = await run(endpoint(7443, 'coordinator.invalid'));
    expect(findings).toMatchObject([
      {
        check: 'name resolution',
        result: 'fail',
        advice: expect.stringMatching(/Ask IT for the name service entry of coordinator\.invalid/),
      },
    ]);
  });

  it('ends at a port that is closed', async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((closed) => server.close(closed));
    servers = [];
    const findings = await run(endpoint(port));
    expect(findings.at(-1)).toMatchObject({ check: 'TCP', result: 'fail', found: expect.stringContaining('ECONNREFUSED') });
    expect(findings.at(-1)?.advice).toContain(`allow outgoing TCP to 127.0.0.1 port ${port}`);
  });

  it('ends at a port that says nothing', async () => {
    const findings = await run(endpoint(await listening(createServer())), {}, SILENCE_MS);
    expect(findings.at(-1)).toMatchObject({ check: 'TLS', result: 'fail', found: expect.stringMatching(/then says nothing/) });
  });

  it('ends at a port that hangs up', async () => {
    const findings = await run(endpoint(await listening(createServer((socket) => socket.destroy()))));
    expect(findings.at(-1)).toMatchObject({
      check: 'TLS',
      result: 'fail',
      found: expect.stringMatching(/cut in the TLS handshake|handshake fails/),
    });
  });

  it('ends at a plain HTTP server', async () => {
    const findings = await run(endpoint(await listening(createHttpServer((_, response) => response.end('welcome')))));
    expect(findings.at(-1)).toMatchObject({ check: 'TLS', result: 'fail', found: expect.stringMatching(/speaks no TLS/) });
  });

  it('is not the one on which a firewall opens TLS, and its issuer is named', async () => {
    const findings = await run(endpoint(await listening(createSecureServer(await certificateOf(firewall, 'coordinator.test')))));
    expect(find(findings, 'authority')).toMatchObject({
      result: 'fail',
      found: expect.stringMatching(/your firewall opens TLS: issuer ".*Plant Firewall TLS Inspection.*"/),
      advice: expect.stringMatching(/exception from TLS inspection for 127\.0\.0\.1:/),
    });
    expect(find(findings, 'server name')?.result).toBe('pass');
  });

  it('is not the one on which somebody uses the name of the authority without its key', async () => {
    const imitation = await authority(consortium.name);
    const findings = await run(endpoint(await listening(createSecureServer(await certificateOf(imitation, 'coordinator.test')))));
    expect(find(findings, 'authority')).toMatchObject({ result: 'fail', found: expect.stringMatching(/is not signed by its key/) });
  });

  it('is not the one to another server of the consortium', async () => {
    const findings = await run(endpoint(await listening(createSecureServer(await certificateOf(consortium, 'other.test')))));
    expect(find(findings, 'authority')?.result).toBe('pass');
    expect(find(findings, 'server name')).toMatchObject({
      result: 'fail',
      found: expect.stringMatching(/DNS:other\.test, not for coordinator\.test/),
    });
  });

  it.each([
    ['has ended', -2 * DAY_MS, -DAY_MS],
    ['has not begun', DAY_MS, 2 * DAY_MS],
  ])('shows a certificate whose time %s as a question of clocks', async (_, fromMs, untilMs) => {
    const server = createSecureServer(await certificateOf(consortium, 'coordinator.test', fromMs, untilMs));
    expect(find(await run(endpoint(await listening(server))), 'authority')).toMatchObject({
      result: 'fail',
      found: expect.stringMatching(/the clock of this machine says/),
      advice: expect.stringMatching(/Check the clock/),
    });
  });

  it('needs HTTP/2', async () => {
    const server = createTlsServer(await certificateOf(consortium, 'coordinator.test'));
    expect(find(await run(endpoint(await listening(server))), 'TLS')).toMatchObject({
      result: 'fail',
      found: expect.stringMatching(/not HTTP\/2/),
    });
  });
});

describe('the way through a proxy', () => {
  const target = 'coordinator.test:7443';
  const throughIt: Endpoint = { address: target, serverName: 'coordinator.test', caCertificate: '' };
  let asked: { target: string | undefined; login: string | undefined };

  /** A proxy that answers what the test says, or passes on to `port`. */
  async function proxyThat(answer: string | number): Promise<string> {
    const server = createHttpServer();
    server.on('connect', (request, near: Socket) => {
      asked = { target: request.url, login: request.headers['proxy-authorization'] };
      if (typeof answer === 'string') {
        near.end(answer);
        return;
      }
      const far = connect(answer, '127.0.0.1', () => {
        near.write('HTTP/1.1 200 Connection established\r\n\r\n');
        far.pipe(near).pipe(far);
      });
      far.on('error', () => near.destroy());
    });
    return `anna:${SECRET}@127.0.0.1:${await listening(server)}`;
  }

  const last = async (value: string, timeoutMs = TIMEOUT_MS) => {
    const findings = await run(throughIt, { HTTPS_PROXY: value }, timeoutMs);
    expect(JSON.stringify(findings)).not.toContain(SECRET);
    return findings.find(({ check }) => check === 'proxy')!;
  };

  it('that passes connections on is found open; the proxy resolves the name', async () => {
    const value = await proxyThat(await listening(await coordinator()));
    const findings = await run({ ...throughIt, caCertificate: consortium.pem }, { HTTPS_PROXY: value });
    expect(findings.map(({ check, result }) => `${check}: ${result}`)).toEqual([
      'name resolution: warn',
      'proxy: pass',
      'TCP: skipped',
      'TLS: pass',
      'authority: pass',
      'server name: pass',
    ]);
    expect(asked).toEqual({ target, login: `Basic ${Buffer.from(`anna:${SECRET}`).toString('base64')}` });
    expect(JSON.stringify(findings)).not.toContain(SECRET);
  });

  it('names the login that is wrong, without it', async () => {
    const finding = await last(
      await proxyThat('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="plant"\r\n\r\n'),
    );
    expect(finding).toMatchObject({
      result: 'fail',
      found: expect.stringMatching(/^the proxy http:\/\/127\.0\.0\.1:\d+ \(HTTPS_PROXY\) answered 407 Proxy Authentication Required$/),
      advice: expect.stringMatching(/does not accept the user and password in HTTPS_PROXY/),
    });
  });

  it('names it also where the proxy says 401, as tinyproxy does', async () => {
    const finding = await last(await proxyThat('HTTP/1.1 401 Unauthorized\r\n\r\n'));
    expect(finding.advice).toMatch(/does not accept the user and password/);
  });

  it('names a login that is missing', async () => {
    const value = await proxyThat('HTTP/1.1 407 Login please\r\nProxy-Authenticate: Basic realm="plant"\r\n\r\n');
    expect((await last(value.slice(value.indexOf('@') + 1))).advice).toMatch(/asks for a login/);
  });

  it('names a login of a kind that agents do not have', async () => {
    const answer = 'HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n';
    expect((await last(await proxyThat(answer))).advice).toMatch(/asks for Negotiate or NTLM.*without a login/);
  });

  it.each([
    ['HTTP/1.1 403 Forbidden\r\n\r\n', /answered 403 Forbidden/, /only port 443/],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', /answered 502/, /may be unable to reach it/],
    ['220 mail.plant.example ready\r\n\r\n', /not HTTP/, /proxy for HTTPS at all/],
    ['', /without an answer/, /proxy for HTTPS at all/],
  ])('ends at a proxy that says %j', async (answer, found, advice) => {
    const finding = await last(await proxyThat(answer));
    expect(finding.result).toBe('fail');
    expect(finding.found).toMatch(found);
    expect(finding.advice).toMatch(advice);
  });

  it('ends at a proxy that says nothing, and at one that is not there', async () => {
    expect(await last(`127.0.0.1:${await listening(createServer())}`, SILENCE_MS)).toMatchObject({
      found: expect.stringMatching(/ETIMEDOUT/),
    });
    expect(await last('127.0.0.1:1')).toMatchObject({ result: 'fail', found: expect.stringMatching(/ECONNREFUSED/) });
  });

  it('ends at a variable that is wrong, whose value is not shown', async () => {
    expect(await last(`https://anna:${SECRET}@proxy:1`)).toMatchObject({
      result: 'fail',
      advice: expect.stringMatching(/Correct the variable/),
    });
  });

  it('stands in the error of a command that could not reach the coordinator', async () => {
    const cause = new AgentError('unreachable', 'No connection established.');
    const answer = 'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="plant"\r\n\r\n';
    const environment = { HTTPS_PROXY: await proxyThat(answer) };
    const explained = (await explainUnreachable(throughIt, cause, { environment, timeoutMs: TIMEOUT_MS })) as AgentError;
    expect(explained).toMatchObject({ code: 'unreachable', cause });
    expect(explained.message).toMatch(
      /coordinator\.test:7443 cannot be reached\. proxy: the proxy http:\/\/127\.0\.0\.1:\d+ .* answered 407/,
    );
    expect(explained.message).not.toContain(SECRET);
    const other = new AgentError('clock-off', 'x');
    expect(await explainUnreachable(throughIt, other)).toBe(other);
  });

  it('is not taken where only HTTP_PROXY is set, and that is said', async () => {
    const findings = await run(endpoint(await listening(await coordinator())), { HTTP_PROXY: 'http://proxy:1' });
    expect(find(findings, 'proxy')).toMatchObject({ result: 'skipped', advice: expect.stringMatching(/HTTP_PROXY is set and not used/) });
  });
});
