import { formatAddress, parseAddress } from '@coferment/consortium';
import { Channel, ChannelCredentials, type ChannelOptions, credentials, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { AgentError } from '../agent.error.js';
import { chooseRoute, type Route } from './proxy.environment.js';

export interface Endpoint {
  /** What is dialled: `host:port` or `[IPv6]:port`. */
  address: string;
  /** Name that the coordinator's certificate must carry, whatever alias the address is. */
  serverName: string;
  /** PEM of the consortium's own certificate authorities, two while one takes the place of the other: no public one is believed. */
  caCertificate: string;
}

export interface ClientCertificate {
  /** PEM. */
  certificate: string;
  /** PKCS #8 PEM. */
  key: string;
}

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** @param client absent for the three calls that work without a certificate (Hello, Join, Renew). */
function channelCredentials(endpoint: Endpoint, client?: ClientCertificate): ChannelCredentials {
  const ca = Buffer.from(endpoint.caCertificate);
  if (client === undefined) return credentials.createSsl(ca);
  return credentials.createSsl(ca, Buffer.from(client.key), Buffer.from(client.certificate));
}

/** How soon a connection on which nothing moves is tried, and given up. */
export interface KeepalivePace {
  timeMs: number;
  timeoutMs: number;
}

/** RFC 5382 lets no NAT forget an idle TCP connection before 2 hours and 4 minutes; firewalls that do after one minute are common all the same. */
const KEEPALIVE: KeepalivePace = { timeMs: 30_000, timeoutMs: 10_000 };

/** A channel to the coordinator, through the proxy where the environment names one. @throws AgentError 'proxy-malformed' */
export function openChannel(endpoint: Endpoint, client?: ClientCertificate, pace: KeepalivePace = KEEPALIVE): Channel {
  // It complains on standard error about each try; the agent says once what does not work, and why.
  if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);
  const { target, options } = dialling(endpoint, routeTo(endpoint));
  return new Channel(target, channelCredentials(endpoint, client), { ...channelOptions(endpoint, pace), ...options });
}

/** @throws AgentError 'proxy-malformed' */
export function routeTo(endpoint: Endpoint, environment: Readonly<Record<string, string | undefined>> = process.env): Route {
  const address = parseAddress(endpoint.address);
  if (address === undefined)
    throw new AgentError('store-damaged', `"${endpoint.address}" is not an address of a coordinator; it must be host:port.`);
  return chooseRoute(address, environment);
}

/** The scheme is written out: grpc-js would take the `coordinator.example` of `coordinator.example:7443` for one. */
function dialling(endpoint: Endpoint, route: Route): { target: string; options: ChannelOptions } {
  const own: ChannelOptions = { 'grpc.enable_http_proxy': 0 };
  if (route.kind === 'direct') return { target: `dns:${endpoint.address}`, options: own };
  const { address, credentials } = route.proxy;
  return {
    target: `dns:${formatAddress(address)}`,
    options: {
      ...own,
      // What grpc-js sets for itself when it reads the environment; it sends CONNECT for it once it has reached the target.
      'grpc.http_connect_target': `dns:${endpoint.address}`,
      ...(credentials === undefined ? {} : { 'grpc.http_connect_creds': credentials }),
    },
  };
}

/** Reconnecting never gives up. */
function channelOptions(endpoint: Endpoint, pace: KeepalivePace): ChannelOptions {
  return {
    'grpc.ssl_target_name_override': endpoint.serverName,
    'grpc.default_authority': endpoint.serverName,
    'grpc.keepalive_time_ms': pace.timeMs,
    'grpc.keepalive_timeout_ms': pace.timeoutMs,
    'grpc.keepalive_permit_without_calls': 1,
    // A new channel must not be handed the connection on which the old one is stuck.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': 15_000,
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  };
}
