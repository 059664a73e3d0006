import { ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';

export interface Endpoint {
  /** host:port that is dialled. */
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
export function channelCredentials(endpoint: Endpoint, client?: ClientCertificate): ChannelCredentials {
  const ca = Buffer.from(endpoint.caCertificate);
  if (client === undefined) return credentials.createSsl(ca);
  return credentials.createSsl(ca, Buffer.from(client.key), Buffer.from(client.certificate));
}

/** Keepalive stays below the idle limits of common firewalls and NAT boxes; reconnecting never gives up. */
export function channelOptions(endpoint: Endpoint): ChannelOptions {
  return {
    'grpc.ssl_target_name_override': endpoint.serverName,
    'grpc.default_authority': endpoint.serverName,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': 15_000,
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  };
}
