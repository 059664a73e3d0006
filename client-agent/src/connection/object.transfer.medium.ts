import { randomBytes } from 'node:crypto';
import { sha256Hex } from '@coferment/crypto';
import {
  DownloadServiceClient,
  DownloadServiceService,
  GetUploadResponse,
  ObjectPurpose,
  UploadServiceClient,
  UploadServiceService,
  type DownloadServiceServer,
  type UploadServiceServer,
} from '@coferment/proto';
import { credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadObject, uploadObject } from './object.transfer.js';

const bytes = new Uint8Array(randomBytes(1_500_000));
const digest = sha256Hex(bytes);
const object = { digest, bytes, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run: 'r1-0123456789abcdef' };

let server: Server;
let address: string;
let stored: Buffer;
let offsets: number[];
/** Bytes after which the next call is cut off. */
let cutAfter: number | undefined;
let served: Uint8Array;

const uploads: UploadServiceServer = {
  getUpload: (_call, callback) =>
    callback(null, GetUploadResponse.fromPartial({ received: stored.length, complete: stored.length === bytes.length })),
  upload: (call, callback) => {
    let here = 0;
    let over = false;
    call.on('data', ({ part }) => {
      if (over) return;
      if (part?.$case === 'header') offsets.push(part.header.offset);
      if (part?.$case !== 'chunk') return;
      stored = Buffer.concat([stored, part.chunk]);
      here += part.chunk.length;
      if (cutAfter !== undefined && here >= cutAfter) {
        over = true;
        cutAfter = undefined;
        callback({ code: status.UNAVAILABLE, details: 'cut' });
      }
    });
    call.on('end', () => !over && callback(null, { received: stored.length, complete: stored.length === bytes.length }));
  },
};

const downloads: DownloadServiceServer = {
  download: (call) => {
    offsets.push(call.request.offset);
    call.write({ size: served.length, chunk: Buffer.alloc(0) });
    const end = cutAfter ?? served.length;
    for (let from = call.request.offset; from < end; from += 262_144) {
      call.write({ size: 0, chunk: Buffer.from(served.subarray(from, Math.min(from + 262_144, end))) });
    }
    if (cutAfter === undefined) call.end();
    else call.emit('error', { code: status.UNAVAILABLE, details: 'cut' });
    cutAfter = undefined;
  },
};

beforeEach(async () => {
  stored = Buffer.alloc(0);
  offsets = [];
  cutAfter = undefined;
  served = bytes;
  server = new Server();
  server.addService(UploadServiceService, uploads);
  server.addService(DownloadServiceService, downloads);
  const port = await new Promise<number>((done, fail) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? done(bound) : fail(error))),
  );
  address = `127.0.0.1:${port}`;
});
afterEach(() => server.forceShutdown());

describe('an upload', () => {
  it('that is cut off goes on where the coordinator has it', async () => {
    cutAfter = 524_288;
    const client = new UploadServiceClient(address, credentials.createInsecure());
    await uploadObject(client, object);
    expect(sha256Hex(stored)).toBe(digest);
    expect(offsets).toHaveLength(2);
    expect(offsets[1]).toBeGreaterThanOrEqual(524_288);
    client.close();
  });

  it('that is there already sends nothing', async () => {
    stored = Buffer.from(bytes);
    const client = new UploadServiceClient(address, credentials.createInsecure());
    await uploadObject(client, object);
    expect(offsets).toEqual([]);
    client.close();
  });
});

describe('a download', () => {
  const fetch = async (maxBytes: number) => {
    const client = new DownloadServiceClient(address, credentials.createInsecure());
    return downloadObject(client, digest, maxBytes).finally(() => client.close());
  };

  it('that is cut off goes on and is checked whole', async () => {
    cutAfter = 524_288;
    expect(sha256Hex(await fetch(bytes.length))).toBe(digest);
    expect(offsets[0]).toBe(0);
    expect(offsets).toHaveLength(2);
  });

  it('of other bytes, or of more than there may be, is refused', async () => {
    served = new Uint8Array(bytes.length);
    await expect(fetch(bytes.length)).rejects.toThrow(/have SHA-256/);
    served = bytes;
    await expect(fetch(bytes.length - 1)).rejects.toThrow(/at most 1499999/);
  });
});
