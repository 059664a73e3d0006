import { lookup } from 'node:dns/promises';
import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { formatAddress, type NetworkAddress, parseAddress } from '@coferment/consortium';
import { AgentError, describeFailure } from '../agent.error.js';
import { printable } from '../printable.text.js';
import { failed, type Finding, passed, skipped, warned } from './finding.js';
import type { Proxy, Route } from './proxy.environment.js';
import { openTcp, ProxyAnswer, throughProxy } from './probe.sockets.js';
import { examineTls } from './probe.tls.js';
import { type Endpoint, routeTo } from './wire.channel.js';

export interface ProbeSettings {
  /** Longest wait for each step. */
  timeoutMs: number;
  environment: Readonly<Record<string, string | undefined>>;
}

const SETTINGS: ProbeSettings = { timeoutMs: 5_000, environment: process.env };

/**
 * The way to the coordinator, step by step as an agent takes it: name, proxy, TCP, TLS, whose certificate, for which name. grpc-js reports every failure of
 * these as "Failed to connect". Ends at the first step that fails and says what to do.
 */
export async function* probeSteps(endpoint: Endpoint, settings: Partial<ProbeSettings> = {}): AsyncGenerator<Finding> {
  const { timeoutMs, environment } = { ...SETTINGS, ...settings };
  let route: Route;
  try {
    route = routeTo(endpoint, environment);
  } catch (error) {
    yield failed(
      'proxy',
      (error as Error).message,
      'Correct the variable in the environment of the agent (in its systemd unit: Environment=).',
    );
    return;
  }
  // routeTo has read the address.
  const destination = parseAddress(endpoint.address)!;
  const proxy = route.kind === 'proxy' ? route.proxy : undefined;
  const names = await resolve(destination, proxy);
  yield names;
  if (names.result === 'fail') return;
  const opened = proxy === undefined ? await direct(destination, timeoutMs) : await proxied(destination, proxy, timeoutMs);
  if (route.kind === 'direct') yield skipped('proxy', `none is used: ${route.reason}`, adviceOnOtherVariables(environment));
  yield* opened.findings;
  if (opened.socket !== undefined) yield* examineTls(opened.socket, endpoint, timeoutMs);
}

export async function probe(endpoint: Endpoint, settings: Partial<ProbeSettings> = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of probeSteps(endpoint, settings)) findings.push(finding);
  return findings;
}

/** A failure to reach the coordinator, with the step that does not work in its message; any other failure as it is. */
export async function explainUnreachable(endpoint: Endpoint, error: unknown, settings: Partial<ProbeSettings> = {}): Promise<unknown> {
  if (describeFailure(error).code !== 'unreachable') return error;
  const broken = (await probe(endpoint, settings)).find(({ result }) => result === 'fail');
  if (broken === undefined) return error;
  const text = `The coordinator ${endpoint.address} cannot be reached. ${broken.check}: ${broken.found}. ${broken.advice}`;
  return new AgentError('unreachable', text, { cause: error });
}

/** Every address that the name has: a plant's split name service, or one dead IPv6 address among good ones, shows here. */
async function resolve({ host }: NetworkAddress, proxy: Proxy | undefined): Promise<Finding> {
  if (isIP(host) !== 0) return passed('name resolution', `${host} is a number and needs no name service`);
  try {
    const addresses = await lookup(host, { all: true });
    return passed('name resolution', `${host} is ${addresses.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    const reason = `${host} is unknown to the name service of this machine (${codeOf(error)})`;
    if (proxy !== undefined) return warned('name resolution', `${reason}; that is no harm: ${proxy.name} resolves it`, '');
    return failed('name resolution', reason, `Ask IT for the name service entry of ${host}, or the operator for another address.`);
  }
}

interface Opened {
  findings: Finding[];
  /** What bytes to the coordinator go over; undefined when there is none. */
  socket?: Socket;
}

async function direct(destination: NetworkAddress, timeoutMs: number): Promise<Opened> {
  const { host, port } = destination;
  const where = `${host} port ${port}`;
  try {
    const socket = await openTcp(destination, timeoutMs);
    return { socket, findings: [passed('TCP', `${where} accepts connections (${formatAddress(peerOf(socket))})`)] };
  } catch (error) {
    const running = codeOf(error) === 'ECONNREFUSED' ? 'Ask the operator whether the coordinator runs. ' : '';
    const advice = `${running}Ask IT to allow outgoing TCP to ${where}; if connections must go through a proxy, set HTTPS_PROXY.`;
    return { findings: [failed('TCP', tcpFailure(error, where), advice)] };
  }
}

async function proxied(destination: NetworkAddress, proxy: Proxy, timeoutMs: number): Promise<Opened> {
  const where = `${proxy.address.host} port ${proxy.address.port}`;
  let toProxy: Socket;
  try {
    toProxy = await openTcp(proxy.address, timeoutMs);
  } catch (error) {
    const advice = 'Check host and port of the proxy with IT; if the coordinator is reached without it, put its name into NO_PROXY.';
    return { findings: [failed('proxy', `${proxy.name}: ${tcpFailure(error, where)}`, advice)] };
  }
  try {
    const socket = await throughProxy(toProxy, destination, proxy.credentials, timeoutMs);
    const login = proxy.credentials === undefined ? 'without a login' : 'with the login from its address';
    const path = `${proxy.name} passes connections on to ${destination.host} port ${destination.port}, ${login}`;
    return { socket, findings: [passed('proxy', path), skipped('TCP', 'the proxy dials the coordinator')] };
  } catch (error) {
    const found = `${proxy.name} ${error instanceof ProxyAnswer ? `answered ${error.message}` : `did not pass the connection on: ${codeOf(error)}`}`;
    return { findings: [failed('proxy', found, adviceOn(error, destination, proxy))] };
  }
}

function adviceOn(error: unknown, { host, port }: NetworkAddress, { credentials }: Proxy): string {
  const allow = `Ask IT to let the proxy pass CONNECT to ${host} port ${port}`;
  if (!(error instanceof ProxyAnswer)) return `${allow}, and whether it is a proxy for HTTPS at all.`;
  // 407 is what RFC 9110 has; tinyproxy says 401 to a login that is wrong.
  if (error.status === 407 || error.status === 401) {
    const basic = error.schemes.length === 0 || error.schemes.some((scheme) => scheme.toLowerCase() === 'basic');
    if (!basic)
      return `It asks for ${error.schemes.join(' or ')}, and this agent logs in with user and password (Basic). Ask IT to let this machine reach ${host} port ${port} without a login.`;
    if (credentials === undefined) return 'It asks for a login. Put user and password into HTTPS_PROXY: http://user:password@host:port.';
    return 'It does not accept the user and password in HTTPS_PROXY. Correct them; characters such as @ : / % are written %40 %3A %2F %25.';
  }
  if (error.status === 403 || error.status === 405)
    return `${allow}: it forbids it now. Proxies often allow only port 443; the operator can listen there.`;
  return `${allow}; the proxy itself may be unable to reach it.`;
}

function adviceOnOtherVariables(environment: ProbeSettings['environment']): string {
  const ignored = ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'].filter((name) => (environment[name] ?? '') !== '');
  const proxyIsSet = (environment['https_proxy'] ?? environment['HTTPS_PROXY'] ?? '') !== '';
  if (ignored.length === 0 || proxyIsSet) return '';
  return `${ignored.join(' and ')} ${ignored.length === 1 ? 'is' : 'are'} set and not used: the agent reads HTTPS_PROXY.`;
}

function tcpFailure(error: unknown, where: string): string {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return `${where} refuses connections (ECONNREFUSED): nothing listens there, or a firewall says so`;
    case 'ETIMEDOUT':
      return `${where} does not answer (ETIMEDOUT): a firewall drops the connection, or the machine is off`;
    default:
      return `${where} cannot be reached (${code})`;
  }
}

function codeOf(error: unknown): string {
  // Several addresses that all failed: the first says as much as all of them.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message } = describeFailure(first);
  return code === 'unexpected' ? printable(message) : code;
}

function peerOf(socket: Socket): NetworkAddress {
  return { host: socket.remoteAddress ?? '?', port: socket.remotePort ?? 0 };
}
