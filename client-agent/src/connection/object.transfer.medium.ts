import { randomBytes } from 'node:crypto';
import { parseAddress } from '@coferment/consortium';
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
import { ObjectCache } from './object.cache.js';
import { downloadBlockDigests, downloadObject, downloadPart, objectPieces, uploadObject } from './object.transfer.js';
import { TcpRelay } from '../testing/tcp.relay.fixture.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

const bytes = new Uint8Array(randomBytes(1_500_000));
const digest = sha256Hex(bytes);
const cache = new ObjectCache(temporaryFolder('agent-objects'));
cache.store(bytes);
const object = async () => ({
  ...(await cache.find(digest))!,
  purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT,
  run: 'r1-0123456789abcdef',
});

let server: Server;
let address: string;
let stored: Buffer;
let offsets: number[];
/** Bytes after which the next call is cut off. */
let cutAfter: number | undefined;
let served: Uint8Array;
let blockDigests: Buffer[];
let pageSize: number;

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
    const { offset, length } = call.request;
    offsets.push(offset);
    call.write({ size: served.length, chunk: Buffer.alloc(0) });
    const last = length === 0 ? served.length : Math.min(served.length, offset + length);
    const end = cutAfter ?? last;
    for (let from = offset; from < end; from += 262_144) {
      call.write({ size: 0, chunk: Buffer.from(served.subarray(from, Math.min(from + 262_144, end))) });
    }
    if (cutAfter === undefined) call.end();
    else call.emit('error', { code: status.UNAVAILABLE, details: 'cut' });
    cutAfter = undefined;
  },
  getBlockDigests: (call, callback) => {
    offsets.push(call.request.offset);
    callback(null, { digests: blockDigests.slice(call.request.offset, call.request.offset + pageSize) });
  },
};

beforeEach(async () => {
  stored = Buffer.alloc(0);
  offsets = [];
  cutAfter = undefined;
  served = bytes;
  blockDigests = Array.from({ length: 5 }, (_, block) => Buffer.alloc(32, block));
  pageSize = 2;
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
    await uploadObject(client, await object());
    expect(sha256Hex(stored)).toBe(digest);
    expect(offsets).toHaveLength(2);
    expect(offsets[1]).toBeGreaterThanOrEqual(524_288);
    client.close();
  });

  it('on a line that is cut goes on at the stored chunk when it is whole again, not from the start', async () => {
    const relay = await TcpRelay.start(parseAddress(address)!);
    const client = new UploadServiceClient(`127.0.0.1:${relay.port}`, credentials.createInsecure());
    try {
      relay.afterSending(900_000, () => relay.refuse());
      await expect(uploadObject(client, await object())).rejects.toMatchObject({ code: 'unreachable' });
      // What the server has read by now it keeps; the rest of the chunk on the way is lost.
      await new Promise((turn) => setTimeout(turn, 50));
      const kept = stored.length;
      expect(kept).toBeGreaterThan(0);
      expect(kept).toBeLessThan(bytes.length);
      relay.restore();
      for (let done = false; !done;) {
        done = await uploadObject(client, await object()).then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'unreachable' });
            return new Promise<boolean>((turn) => setTimeout(turn, 100, false));
          },
        );
      }
      expect(sha256Hex(stored)).toBe(digest);
      expect(offsets).toEqual([0, kept]);
    } finally {
      client.close();
      await relay.stop();
    }
  });

  it('that is there already sends nothing', async () => {
    stored = Buffer.from(bytes);
    const client = new UploadServiceClient(address, credentials.createInsecure());
    await uploadObject(client, await object());
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

describe('the pieces of an object', () => {
  const fetch = async (offset: number, maxBytes = bytes.length) => {
    const client = new DownloadServiceClient(address, credentials.createInsecure());
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of objectPieces(client, digest, offset, maxBytes)) pieces.push(piece);
    } finally {
      client.close();
    }
    return pieces;
  };

  it('come as they are sent, from where an earlier try has ended, also when the line is cut again', async () => {
    cutAfter = 900_000;
    const pieces = await fetch(500_000);
    expect(Buffer.concat(pieces).equals(Buffer.from(bytes.subarray(500_000)))).toBe(true);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(262_144);
    expect(offsets).toEqual([500_000, expect.any(Number)]);
    expect(offsets[1]).toBeGreaterThan(500_000);
  });

  it('are none when all of it has come before', async () => {
    expect(Buffer.concat(await fetch(bytes.length))).toHaveLength(0);
  });

  it('of more than there may be are refused', async () => {
    await expect(fetch(0, bytes.length - 1)).rejects.toMatchObject({ code: 'object-mismatch' });
  });
});

describe('a part of an object', () => {
  const fetch = async (offset: number, length: number) => {
    const client = new DownloadServiceClient(address, credentials.createInsecure());
    return downloadPart(client, digest, offset, length).finally(() => client.close());
  };

  it('is these bytes and no others, also when the line is cut', async () => {
    cutAfter = 700_000;
    expect(Buffer.from(await fetch(300_000, 600_000)).equals(Buffer.from(bytes.subarray(300_000, 900_000)))).toBe(true);
    expect(offsets).toHaveLength(2);
    expect(offsets[1]).toBeGreaterThan(300_000);
  });

  it('is not asked for again when only its end was lost', async () => {
    cutAfter = 400_000;
    expect(await fetch(300_000, 100_000)).toHaveLength(100_000);
    expect(offsets).toEqual([300_000]);
  });

  it('of another length is refused', async () => {
    served = bytes.subarray(0, 350_000);
    await expect(fetch(300_000, 100_000)).rejects.toMatchObject({ code: 'object-mismatch' });
  });
});

describe('the block digests of an object', () => {
  const fetch = async (blocks: number) => {
    const client = new DownloadServiceClient(address, credentials.createInsecure());
    return downloadBlockDigests(client, digest, blocks).finally(() => client.close());
  };

  it('come page by page', async () => {
    expect(await fetch(5)).toEqual(blockDigests);
    expect(offsets).toEqual([0, 2, 4]);
  });

  it('are refused when there are fewer or more than were signed for, or one is no digest', async () => {
    await expect(fetch(6)).rejects.toThrow(/5 block digests; 6 were signed for/);
    pageSize = 5;
    await expect(fetch(4)).rejects.toThrow(/5 block digests came/);
    blockDigests[3] = Buffer.alloc(31);
    await expect(fetch(5)).rejects.toMatchObject({ code: 'object-mismatch' });
  });
});
