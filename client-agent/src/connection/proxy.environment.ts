import { BlockList, isIP } from 'node:net';
import { type NetworkAddress, parseAddress } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy that is asked to pass connections on (HTTP CONNECT). */
export interface Proxy {
  address: NetworkAddress;
  /** `user:password`, decoded. Must not reach a log, an error or a screen: those show `name`. */
  credentials?: string;
  /** For people: where it is and which variable says so. */
  name: string;
}

export type Route =
  | { kind: 'direct'; reason: string }
  /** The proxy also resolves the coordinator's name, which a plant often cannot. */
  | { kind: 'proxy'; proxy: Proxy };

const PROXY_VARIABLES = ['https_proxy', 'HTTPS_PROXY'] as const;
const DIRECT_VARIABLES = ['no_proxy', 'NO_PROXY'] as const;
const HTTP_PORT = 80;

/**
 * How a coordinator is reached, from the variables that IT departments set; lower case wins over upper case, as in curl. grpc-js has rules of its own for
 * this, which fail quietly: it reads no upper case, dials directly when the value has no scheme, and takes every host for one that NO_PROXY
 * names if there is an empty entry in it. So it is never asked: the channel is told what was decided here.
 * @throws AgentError 'proxy-malformed' with the name of the variable and nothing of its value, which may hold a password
 */
export function chooseRoute(destination: NetworkAddress, environment: Environment): Route {
  const variable = PROXY_VARIABLES.find((name) => (environment[name] ?? '').trim() !== '');
  if (variable === undefined) return { kind: 'direct', reason: 'no proxy is set (HTTPS_PROXY)' };
  if (isLoopback(destination.host)) return { kind: 'direct', reason: `${destination.host} is this machine itself` };
  const exempting = DIRECT_VARIABLES.find((name) => (environment[name] ?? '').trim() !== '');
  if (exempting !== undefined && isExempt(destination, environment[exempting] ?? ''))
    return { kind: 'direct', reason: `${exempting} names ${destination.host}` };
  const proxy = parseProxy((environment[variable] ?? '').trim(), variable);
  if (isIP(destination.host) === 6) {
    throw new AgentError(
      'proxy-malformed',
      `${proxy.name} cannot be used for ${destination.host}: proxies are asked by name or IPv4 address. Ask the operator for an address with a name, or put ${destination.host} into NO_PROXY.`,
    );
  }
  return { kind: 'proxy', proxy };
}

/** `http://user:password@host:port`; the scheme may be missing, the user and the password may be percent-encoded. */
function parseProxy(value: string, variable: string): Proxy {
  const refused = (reason: string) =>
    new AgentError('proxy-malformed', `${variable} is no proxy that this agent can use: ${reason}. Write it as http://proxy.example:3128.`);
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  } catch {
    throw refused('its value is not host:port, nor http://user:password@host:port with special characters written as %XX');
  }
  if (url.protocol !== 'http:') throw refused(`it begins with ${url.protocol}//, and only http:// is spoken to proxies`);
  // A `/`, `?` or `#` in a password ends the host early: what is then read as host and port is the user and the password.
  if (url.pathname.length > 1 || url.search !== '' || url.hash !== '')
    throw refused('something follows host and port; characters such as / ? # in a password are written %2F %3F %23');
  const address = parseAddress(`${url.hostname}:${url.port === '' ? HTTP_PORT : url.port}`);
  if (address === undefined) throw refused('its value names no host and port');
  const name = `the proxy http://${url.hostname}:${address.port} (${variable})`;
  if (url.username === '' && url.password === '') return { address, name };
  const credentials = `${decoded(url.username)}:${decoded(url.password)}`;
  // oxlint-disable-next-line no-control-regex -- RFC 7617: they have no place in a user or a password
  if (/[\u0000-\u001f\u007f]/.test(credentials)) throw refused('its user or password has control characters');
  return { address, credentials, name };
}

/** A password that holds a bare % was meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What goes into Proxy-Authorization (RFC 7617). */
export function basicAuthorization(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** As in Go and in curl: names stand for themselves and for what is below them, with or without `*.`; also numbers, ranges (CIDR), `:port`, and `*`. */
function isExempt(destination: NetworkAddress, list: string): boolean {
  const host = destination.host.toLowerCase().replace(/\.$/, '');
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const { name, port } = splitPort(entry.toLowerCase());
      if (port !== undefined && port !== destination.port) return false;
      if (isIP(host) !== 0) return covers(name, host);
      const domain = name.replace(/^\*?\./, '').replace(/\.$/, '');
      return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
    });
}

function splitPort(entry: string): { name: string; port?: number } {
  const found = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(entry);
  if (found !== null) return { name: found[1] ?? found[2] ?? '', port: Number(found[3]) };
  return { name: entry.replace(/^\[(.*)\]$/, '$1') };
}

function covers(range: string, host: string): boolean {
  const [base = '', prefix] = range.split('/');
  const family = isIP(base);
  if (family === 0) return false;
  const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
  if (!Number.isInteger(bits) || bits < 0 || bits > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(base, bits, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

/** No proxy can reach this machine's own addresses; a demonstration must run where HTTPS_PROXY is set for everything. */
function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || covers('127.0.0.0/8', host) || covers('::1', host);
}
