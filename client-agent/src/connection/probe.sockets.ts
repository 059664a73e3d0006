import { STATUS_CODES } from 'node:http';
import { connect, type Socket } from 'node:net';
import { formatAddress, type NetworkAddress } from '@coferment/consortium';
import { printable } from '../printable.text.js';
import { basicAuthorization } from './proxy.environment.js';

/** Longest answer of a proxy that is read; its error pages are not. */
const MOST_ANSWER_BYTES = 16_384;

/** A step that got no answer has the code that the kernel uses, so that both read alike. */
export function timedOut(what: string): Error {
  return Object.assign(new Error(what), { code: 'ETIMEDOUT' });
}

/** What a proxy said instead of "200". */
export class ProxyAnswer extends Error {
  constructor(
    readonly status: number,
    /** Of `Proxy-Authenticate`: Basic, NTLM, Negotiate … */
    readonly schemes: readonly string[],
  ) {
    super(`${status} ${STATUS_CODES[status] ?? ''}`.trim());
  }
}

/** @throws Error with the code of the system, 'ETIMEDOUT' when nothing came within the time */
export function openTcp({ host, port }: NetworkAddress, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const giveUp = setTimeout(() => socket.destroy(timedOut(`no answer from ${host} port ${port}`)), timeoutMs);
    socket.once('error', (error) => {
      clearTimeout(giveUp);
      reject(error);
    });
    socket.once('connect', () => {
      clearTimeout(giveUp);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/**
 * Asks a proxy to pass a connection on (RFC 9110, section 9.3.6), with the same request as grpc-js. By hand on the open socket: what comes after
 * the answer's empty line belongs to TLS.
 * @throws ProxyAnswer when it does not; Error when it says nothing that is HTTP
 */
export function throughProxy(
  socket: Socket,
  destination: NetworkAddress,
  credentials: string | undefined,
  timeoutMs: number,
): Promise<Socket> {
  const target = formatAddress(destination);
  const login = credentials === undefined ? '' : `Proxy-Authorization: ${basicAuthorization(credentials)}\r\n`;
  return new Promise((resolve, reject) => {
    const read: Buffer[] = [];
    const fail = (error: Error) => {
      settle();
      socket.destroy();
      reject(error);
    };
    const data = (chunk: Buffer) => {
      read.push(chunk);
      const answer = Buffer.concat(read);
      const end = answer.indexOf('\r\n\r\n');
      if (end < 0 && answer.length <= MOST_ANSWER_BYTES) return;
      const head = answer.subarray(0, Math.max(end, 0)).toString('latin1');
      const status = /^HTTP\/1\.[01] ([0-9]{3})/.exec(head);
      if (status === null) return fail(new Error('what it says is not HTTP'));
      if (status[1] !== '200') return fail(new ProxyAnswer(Number(status[1]), schemesIn(head)));
      settle();
      const rest = answer.subarray(end + 4);
      if (rest.length > 0) socket.unshift(rest);
      resolve(socket);
    };
    const ended = () => fail(new Error('it closed the connection without an answer'));
    const giveUp = setTimeout(() => fail(timedOut('no answer to CONNECT')), timeoutMs);
    const settle = () => {
      clearTimeout(giveUp);
      socket.pause();
      socket.off('data', data).off('end', ended).off('error', fail);
    };
    socket.on('data', data).on('end', ended).on('error', fail);
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${login}\r\n`);
  });
}

function schemesIn(head: string): string[] {
  return [...head.matchAll(/^proxy-authenticate: *([A-Za-z0-9-]{1,40})/gim)].map(([, scheme = '']) => printable(scheme));
}
