import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { sha256Hex } from '@coferment/crypto';
import { type BucketAccess, type BucketAddress, bucketText } from './bucket.address.js';
import { type BucketFault, PASSING, bucketFault } from './bucket.fault.js';
import type { BucketSource, ObjectBucket, StoredObject } from './object.bucket.js';

const CONNECT_WITHIN_MS = 3000;
/** Without a byte in either direction. */
const SILENT_AT_MOST_MS = 20_000;
const PROBE_WITHIN_MS = 3000;
/** Together less than a second and a half: who waits behind them asks again by itself. */
const WAITS_MS = [100, 300, 900];

/**
 * An S3-compatible bucket by Amazon's own client, with its usual chain of credentials. Retries are made here and not by the client: it cannot send a file again.
 * Whatever is read is checked by whoever asked, against the SHA-256 that is its name, so the client's own checksums of answers are off.
 */
export class S3Bucket implements ObjectBucket {
  readonly place: string;
  readonly #client: S3Client;
  readonly #endpoint: string;
  readonly #over = new AbortController();
  readonly #cut = { abortSignal: this.#over.signal };

  constructor(
    private readonly address: BucketAddress,
    { endpoint, region, pathStyle }: BucketAccess,
  ) {
    this.place = bucketText(address);
    this.#endpoint =
      endpoint ?? process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'] ?? "the S3 server of the bucket's region";
    this.#client = new S3Client({
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? {} : { region }),
      ...(pathStyle === undefined ? {} : { forcePathStyle: pathStyle }),
      maxAttempts: 1,
      logger: SILENT,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_WITHIN_MS, socketTimeout: SILENT_AT_MOST_MS },
    });
  }

  async put(name: string, source: BucketSource, { size, digest }: { size: number; digest: string }): Promise<void> {
    await this.#tried(() => {
      const Body = 'path' in source ? createReadStream(source.path) : source.bytes;
      return this.#client.send(
        new PutObjectCommand({ ...this.#key(name), Body, ContentLength: size, ChecksumSHA256: base64(digest), ContentType: TYPE }),
        this.#cut,
      );
    });
  }

  async putNew(name: string, bytes: Uint8Array): Promise<void> {
    const input = { ...this.#key(name), Body: bytes, ChecksumSHA256: base64(sha256Hex(bytes)), ContentType: TYPE, IfNoneMatch: '*' };
    await this.#tried(() =>
      unless(['PreconditionFailed', 'ConditionalRequestConflict'], () => this.#client.send(new PutObjectCommand(input), this.#cut)),
    );
  }

  fetch(name: string, path: string): Promise<{ size: number; digest: string } | undefined> {
    return this.#tried(async () => {
      const found = await unless(NOT_THERE, () => this.#client.send(new GetObjectCommand(this.#key(name)), this.#cut));
      if (found === undefined) return undefined;
      const hash = createHash('sha256');
      let size = 0;
      await pipeline(
        found.Body as Readable,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            size += chunk.length;
            yield chunk;
          }
        },
        createWriteStream(path, { mode: 0o600, flush: true }),
      );
      return { size, digest: hash.digest('hex') };
    });
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#tried(async () => {
      const found = await unless(NOT_THERE, () => this.#client.send(new GetObjectCommand(this.#key(name)), this.#cut));
      return found?.Body?.transformToByteArray();
    });
  }

  head(name: string): Promise<StoredObject | undefined> {
    return this.#tried(async () => {
      const found = await unless(NOT_THERE, () => this.#client.send(new HeadObjectCommand(this.#key(name)), this.#cut));
      return found && { name, size: found.ContentLength ?? 0, writtenMs: found.LastModified?.getTime() ?? 0 };
    });
  }

  async remove(name: string): Promise<void> {
    await this.#tried(() => this.#client.send(new DeleteObjectCommand(this.#key(name)), this.#cut));
  }

  async *list(): AsyncIterable<StoredObject> {
    const { bucket, prefix } = this.address;
    for (let from: string | undefined, more = true; more;) {
      const page = await this.#tried(() =>
        this.#client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: '/', ContinuationToken: from }), this.#cut),
      );
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? [])
        yield { name: Key.slice(prefix.length), size: Size, writtenMs: LastModified?.getTime() ?? 0 };
      from = page.NextContinuationToken;
      more = page.IsTruncated === true && from !== undefined;
    }
  }

  async probe(name: string): Promise<void> {
    const within = AbortSignal.any([this.#over.signal, AbortSignal.timeout(PROBE_WITHIN_MS)]);
    try {
      // Not HEAD: its answer has no body, which would say that it is the bucket that is gone.
      await unless(NOT_THERE, async () =>
        (await this.#client.send(new GetObjectCommand(this.#key(name)), { abortSignal: within })).Body?.transformToByteArray(),
      );
    } catch (error) {
      throw this.#fault(error);
    }
  }

  giveUp(): void {
    this.#over.abort();
  }

  #key(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.address.bucket, Key: this.address.prefix + name };
  }

  #fault(error: unknown): BucketFault {
    return bucketFault(error, { address: this.place, endpoint: this.#endpoint });
  }

  async #tried<T>(call: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await call();
      } catch (error) {
        if (isOfThisDisk(error)) throw error;
        const fault = this.#fault(error);
        const waitMs = WAITS_MS[attempt];
        if (waitMs === undefined || !PASSING.has(fault.kind) || this.#over.signal.aborted) throw fault;
        // By chance between half and whole, so that those who were refused together do not come back together.
        await pause(waitMs * (0.5 + Math.random() / 2));
      }
    }
  }
}

/** Faults are told once, by whoever asked. */
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const TYPE = 'application/octet-stream';
/** Of an object: a bucket that is gone says NoSuchBucket where an answer has a body. */
const NOT_THERE = ['NoSuchKey', 'NotFound'];

const base64 = (digest: string): string => Buffer.from(digest, 'hex').toString('base64');

/** A full disk here is no fault of the bucket. */
function isOfThisDisk(error: unknown): boolean {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return (
    code !== undefined &&
    ['open', 'write', 'read', 'fsync', 'stat'].includes(syscall ?? '') &&
    !code.startsWith('ECONN') &&
    code !== 'EPIPE' &&
    code !== 'ETIMEDOUT'
  );
}

async function unless<T>(names: readonly string[], call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Error && names.includes(error.name)) return undefined;
    throw error;
  }
}
