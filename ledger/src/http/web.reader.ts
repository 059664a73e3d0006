import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { maxBytesOf } from '../export/index.js';
import { FetchError } from './fetch.error.js';
import { RETRIES, type RetrySchedule, delayMs, isWorthRetrying } from './retry.schedule.js';
import { webPrefix } from './web.address.js';

export interface WebOptions {
  /** Authorities (PEM) to believe, in place of the usual ones. */
  readonly ca?: string;
  readonly userAgent: string;
  readonly retries?: RetrySchedule;
  /** Without a byte for so long, an attempt has failed. */
  readonly idleMs?: number;
}

export const CONNECTIONS = 16;
const IDLE_MS = 30_000;
const MAX_REDIRECTS = 5;
const MAX_DISCARDED_BYTES = 16_384;
/** A server that sends a byte now and then is stopped too: so slow is nobody's line. */
const SLOWEST_BYTES_PER_MS = 16;

type Body = AsyncIterable<Buffer>;

/** Reads the resources of one log from a web server, whoever runs it. Whatever comes is bounded in size and time, and is to be verified. */
export class WebReader {
  readonly prefix: URL;
  readonly #agent: Dispatcher;
  readonly #retries: RetrySchedule;
  readonly #idleMs: number;
  /** Bytes of bodies, decompressed. */
  received = 0;

  constructor(
    address: string,
    private readonly options: WebOptions,
  ) {
    this.prefix = webPrefix(address);
    this.#retries = options.retries ?? RETRIES;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    const tls = options.ca === undefined ? {} : { ca: options.ca };
    // Proxies as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say, in either case.
    this.#agent = new EnvHttpProxyAgent({
      connections: CONNECTIONS,
      allowH2: false,
      headersTimeout: this.#idleMs,
      bodyTimeout: this.#idleMs,
      connect: { ...tls, timeout: this.#idleMs },
      requestTls: tls,
    });
  }

  /** The bytes at a path of the log, or undefined where there is nothing. @throws FetchError */
  readonly read = async (path: string): Promise<Uint8Array | undefined> =>
    this.#get(path, async (body) => {
      const chunks: Buffer[] = [];
      for await (const chunk of body) chunks.push(chunk);
      return new Uint8Array(Buffer.concat(chunks));
    });

  /** Writes what is at a path into a file of this machine, however large. @returns its SHA-256 (hex), or undefined where there is nothing */
  async save(path: string, file: string): Promise<{ sha256: string; bytes: number } | undefined> {
    return this.#get(path, async (body) => {
      const hash = createHash('sha256');
      let bytes = 0;
      const hashed = async function* () {
        for await (const chunk of body) {
          hash.update(chunk);
          bytes += chunk.length;
          yield chunk;
        }
      };
      await pipeline(hashed, createWriteStream(file));
      return { sha256: hash.digest('hex'), bytes };
    });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #get<T>(path: string, take: (body: Body) => Promise<T>): Promise<T | undefined> {
    const url = new URL(path, this.prefix);
    for (let failed = 1; ; failed++) {
      const answer = await this.#attempt(url, maxBytesOf(path), take);
      if ('value' in answer) return answer.value;
      if (failed >= this.#retries.attempts)
        throw new FetchError('unreachable', `${url.href} could not be read after ${failed} attempts: ${answer.reason}`);
      await wait(delayMs(this.#retries, failed, answer.retryAfter, Math.random()));
    }
  }

  async #attempt<T>(
    url: URL,
    maxBytes: number,
    take: (body: Body) => Promise<T>,
  ): Promise<{ value: T | undefined } | { reason: string; retryAfter: string | undefined }> {
    const deadline = AbortSignal.timeout(this.#idleMs * 2 + maxBytes / SLOWEST_BYTES_PER_MS);
    try {
      const { statusCode: status, headers, body } = await this.#follow(url, deadline);
      if (status === 200) return { value: await take(this.#bounded(body, headers['content-encoding'], url, maxBytes)) };
      await discard(body);
      if (status === 404 || status === 410) return { value: undefined };
      const retryAfter = headers['retry-after'];
      if (isWorthRetrying(status))
        return { reason: `the server answers ${status}`, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined };
      throw new FetchError(
        'refused',
        `The server answers ${status} to ${url.href}; ask who runs it whether you may read this ledger there.`,
      );
    } catch (error) {
      if (error instanceof FetchError) throw error;
      if (deadline.aborted)
        throw new FetchError('too-slow', `${url.href} comes too slowly to be read to its end; try another time or line.`);
      if (isFileError(error)) throw error;
      if (isCertificateError(error))
        throw new FetchError(
          'refused',
          `The certificate of ${url.origin} is not believed (${reasonOf(error)}). If it is of its company's own authority, give that with --ca.`,
        );
      return { reason: reasonOf(error), retryAfter: undefined };
    }
  }

  /** Redirects are followed on the same server only: an address that somebody checked must not lead into their own network. */
  async #follow(start: URL, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    let url = start;
    for (let redirects = 0; ; redirects++) {
      const response = await request(url, {
        dispatcher: this.#agent,
        signal,
        headers: { 'user-agent': this.options.userAgent, 'accept-encoding': 'gzip, identity' },
      });
      const { location } = response.headers;
      if (response.statusCode < 300 || response.statusCode > 399 || typeof location !== 'string') return response;
      await discard(response.body);
      const target = new URL(location, url);
      if (target.origin !== start.origin)
        throw new FetchError(
          'redirected',
          `${start.href} leads to another server, ${target.origin}; if you trust that one, give its address.`,
        );
      if (redirects >= MAX_REDIRECTS) throw new FetchError('redirected', `${start.href} leads on and on; ask who runs that server.`);
      url = target;
    }
  }

  async *#bounded(body: Readable, encoding: string | string[] | undefined, url: URL, maxBytes: number): AsyncGenerator<Buffer> {
    if (encoding !== undefined && encoding !== 'gzip' && encoding !== 'identity')
      throw new FetchError('malformed', `${url.href} comes in the encoding "${String(encoding)}", which was not asked for.`);
    const plain = encoding === 'gzip' ? body.pipe(createGunzip()) : body;
    // A pipe does not pass errors on. (Nor may one that comes after the last read end the process.)
    body.on('error', (error) => plain !== body && plain.destroy(error));
    let bytes = 0;
    try {
      for await (const chunk of plain as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        this.received += chunk.length;
        if (bytes > maxBytes)
          throw new FetchError(
            'too-large',
            `${url.href} is larger than ${maxBytes} bytes, which nothing there can be; it was not read on.`,
          );
        yield chunk;
      }
    } finally {
      body.destroy();
    }
  }
}

/** Reads the few bytes of a page that says why there is nothing, so that the connection can be used again. */
async function discard(body: Dispatcher.ResponseData['body']): Promise<void> {
  body.on('error', () => {});
  await body.dump({ limit: MAX_DISCARDED_BYTES }).catch(() => {});
}

function isFileError(error: unknown): boolean {
  const { syscall } = error as NodeJS.ErrnoException;
  return syscall === 'open' || syscall === 'write';
}

/** What OpenSSL and Node find wrong with a certificate: trying again does not make it right. */
function isCertificateError(error: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)/.test((error as NodeJS.ErrnoException).code ?? '');
}

function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return [message, ...(code === undefined || message.includes(code) ? [] : [`(${code})`])].join(' ');
}
