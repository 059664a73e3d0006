import { parseAddress } from '@coferment/consortium';
import { CHECKS, type Finding } from '../connection/finding.js';
import { authoritiesOf } from '../connection/probe.tls.js';
import type { DoctorSubject } from './doctor.subject.js';

/** What a network department needs to let one agent through, and nothing else about the consortium. To be pasted into a ticket. */
export interface ItNotice {
  host: string;
  port: number;
  direction: 'outbound only';
  protocol: string;
  authority: string[];
  tlsInspection: string;
  proxy: string;
  idleLimit: string;
  other: string;
  /** What does not work now. */
  failing: string[];
}

const NETWORK = new Set<string>(CHECKS.slice(0, CHECKS.indexOf('certificate')));

export function itNotice({ endpoint }: DoctorSubject, findings: readonly Finding[]): ItNotice {
  const { host, port } = parseAddress(endpoint.address) ?? { host: endpoint.address, port: 0 };
  return {
    host,
    port,
    direction: 'outbound only',
    protocol: 'TLS 1.2 or later with ALPN "h2" (HTTP/2, gRPC) over one long-lived TCP connection',
    authority: authoritiesOf(endpoint).map(({ fingerprint256 }) => fingerprint256),
    tlsInspection: 'not possible: the agent believes only the authority of its consortium, so the connection must pass unopened',
    proxy: host.includes(':')
      ? 'none can be used for an IPv6 number'
      : `only if direct connections are forbidden: HTTP CONNECT to ${host}:${port}, without a login or with user and password (Basic); no NTLM or Kerberos`,
    idleLimit:
      'connections may be dropped after 60 s without traffic or later (a keepalive goes out every 30 s); no limit on the age of a connection is needed',
    other:
      'time by NTP within 30 s; name service for the host, unless a proxy resolves it; no update servers, no telemetry, no other address',
    failing: findings.flatMap(({ check, result, found }) => (result === 'fail' && NETWORK.has(check) ? [`${check}: ${found}`] : [])),
  };
}

export function renderNotice(notice: ItNotice): string[] {
  const rows: [string, string][] = [
    ['to', `${notice.host}, TCP port ${notice.port}`],
    ['direction', `${notice.direction}; nothing listens on this machine`],
    ['protocol', notice.protocol],
    ['certificates', `of the consortium's own authority, SHA-256 ${notice.authority.join(' or ') || 'unknown'}`],
    ['inspection', notice.tlsInspection],
    ['proxy', notice.proxy],
    ['idle limit', notice.idleLimit],
    ['else', notice.other],
    ...notice.failing.map((text): [string, string] => ['fails now', text]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return ['What to tell the IT department:', ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)];
}
