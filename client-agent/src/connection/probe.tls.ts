import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { describeFailure } from '../agent.error.js';
import { printable } from '../printable.text.js';
import { failed, type Finding, passed } from './finding.js';
import { timedOut } from './probe.sockets.js';
import type { Endpoint } from './wire.channel.js';

const UNOPENED = 'A device that opens TLS traffic on the way must let this connection through unopened.';

/** A handshake over the open socket, and what the certificate says. It is judged here, step by step, instead of by OpenSSL, which would only say no. */
export async function* examineTls(socket: Socket, endpoint: Endpoint, timeoutMs: number): AsyncGenerator<Finding> {
  let session: TLSSocket;
  try {
    session = await handshake(socket, endpoint, timeoutMs);
  } catch (error) {
    socket.destroy();
    const silent = describeFailure(error).code === 'ETIMEDOUT';
    const hanging =
      'A firewall that lets connections begin and drops what follows, or a coordinator that hangs: ask IT, then the operator.';
    yield failed('TLS', handshakeFailure(error), silent ? hanging : UNOPENED);
    return;
  }
  const certificate = session.getPeerX509Certificate();
  const { alpnProtocol, authorized } = session;
  const protocol = session.getProtocol() ?? 'TLS';
  const reason = authorized ? '' : String(session.authorizationError);
  session.destroy();
  if (certificate === undefined) {
    yield failed('TLS', 'the other side shows no certificate', UNOPENED);
    return;
  }
  if (alpnProtocol === 'h2') yield passed('TLS', `${protocol}, HTTP/2 (ALPN h2)`);
  else
    yield failed('TLS', `${protocol}, but not HTTP/2: ALPN "h2" was not agreed to`, `Another server or a proxy answers there. ${UNOPENED}`);
  yield* judge(certificate, reason, endpoint);
}

function handshake(socket: Socket, endpoint: Endpoint, timeoutMs: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const session = connect({
      socket,
      ca: endpoint.caCertificate === '' ? [] : endpoint.caCertificate,
      servername: endpoint.serverName,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.2',
      // Nothing is sent over it: whose it is stands in `authorized`, which the caller reads.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const giveUp = setTimeout(() => session.destroy(timedOut('no answer to the TLS handshake')), timeoutMs);
    session.once('secureConnect', () => {
      clearTimeout(giveUp);
      session.removeAllListeners('error').on('error', () => undefined);
      resolve(session);
    });
    session.once('error', (error) => {
      clearTimeout(giveUp);
      reject(error);
    });
  });
}

function handshakeFailure(error: unknown): string {
  const { code, message } = describeFailure(error);
  switch (code) {
    case 'ETIMEDOUT':
      return 'the port accepts connections and then says nothing (no answer to the TLS handshake)';
    case 'ECONNRESET':
    case 'EPIPE':
      return `the connection is cut in the TLS handshake (${code})`;
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'EPROTO':
      return 'what answers there speaks no TLS (a plain HTTP server, or the page of a captive portal)';
    default:
      return printable(`the TLS handshake fails: ${message}`);
  }
}

function* judge(certificate: X509Certificate, reason: string, endpoint: Endpoint): Generator<Finding> {
  const authorities = authoritiesOf(endpoint);
  const ours = authorities.map((authority) => authority.fingerprint256).join(' or ');
  const issuer = oneLine(certificate.issuer);
  if (reason === '') {
    yield passed('authority', `the certificate is signed by this consortium's authority, SHA-256 ${ours}`);
  } else if (reason === 'CERT_HAS_EXPIRED' || reason === 'CERT_NOT_YET_VALID') {
    const now = new Date().toISOString();
    const found = `the coordinator's certificate is valid from ${date(certificate.validFrom)} to ${date(certificate.validTo)}, and the clock of this machine says ${now}`;
    yield failed('authority', found, 'Check the clock of this machine (NTP); if it is right, the operator has to renew the certificate.');
  } else if (authorities.some((authority) => authority.subject === certificate.issuer)) {
    const found = `the certificate claims the consortium's authority "${issuer}" and is not signed by its key (SHA-256 ${ours})`;
    yield failed(
      'authority',
      found,
      'Somebody may imitate the coordinator, or the consortium was founded anew: ask the operator by telephone.',
    );
  } else {
    const found = `your firewall opens TLS: issuer "${issuer}", certificate for "${oneLine(certificate.subject)}"; expected was this consortium's authority, SHA-256 ${ours}`;
    yield failed('authority', found, `${UNOPENED} Ask IT for an exception from TLS inspection for ${endpoint.address}.`);
  }
  if (certificate.checkHost(endpoint.serverName) === undefined) {
    const names = oneLine(certificate.subjectAltName ?? certificate.subject);
    const advice = `Check the address ${endpoint.address} with the operator: another server of the consortium may answer there.`;
    yield failed('server name', `the certificate is for ${names}, not for ${endpoint.serverName}`, advice);
  } else {
    yield passed('server name', `the certificate is for ${endpoint.serverName}`);
  }
}

/** Certificates of the authorities that this site believes. None for text that holds none. */
export function authoritiesOf({ caCertificate }: Pick<Endpoint, 'caCertificate'>): X509Certificate[] {
  const blocks = caCertificate.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}

/** Node writes one part of a name a line. */
function oneLine(name: string): string {
  return printable(name.trim().replaceAll('\n', ', '), 200);
}

function date(text: string): string {
  return new Date(text).toISOString();
}
