import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  DownloadRequest,
  DownloadServiceClient,
  GetBlockDigestsRequest,
  GetBlockDigestsResponse,
  GetUploadRequest,
  GetUploadResponse,
  UploadServiceClient,
} from '@coferment/proto';
import type { ServiceError } from '@grpc/grpc-js';
import { AgentError } from '../agent.error.js';
import { askedToWaitMs, fromServiceError } from './coordinator.errors.js';
import type { OutgoingObject } from './coordinator.port.js';
import { unary } from './unary.call.js';

const SMALL_CALL_MS = 30_000;
/** The coordinator reads all blocks of a page from its disk before it answers. */
const DIGESTS_CALL_MS = 120_000;
const DIGEST_BYTES = 32;
/** Slowest line on which a transfer is still given time to end. */
const SLOWEST_BYTES_PER_MS = 8;
const TRIES = 5;

/**
 * Sends an object from wherever an earlier try stopped. The coordinator says how much it has; the bytes are always the stored
 * ones, so a resumed upload is the same upload.
 */
export async function uploadObject(client: UploadServiceClient, object: OutgoingObject): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { received, complete } = await unary<GetUploadRequest, GetUploadResponse>(
      (request, metadata, options, callback) => client.getUpload(request, metadata, options, callback),
      { digest: object.digest },
      { what: 'Asking where an upload goes on', deadlineMs: SMALL_CALL_MS },
    );
    if (complete) return;
    const offset = Number.isSafeInteger(received) && received >= 0 && received <= object.size ? received : 0;
    try {
      if (await sendFrom(client, object, offset)) return;
    } catch (error) {
      if (tries === TRIES || !(error instanceof AgentError) || error.code !== 'unreachable') throw error;
      await sleep(askedToWaitMs(error));
    }
    if (tries === TRIES)
      throw new AgentError('unreachable', `The upload of ${object.digest.slice(0, 16)} did not complete in ${TRIES} tries.`);
  }
}

async function sendFrom(client: UploadServiceClient, object: OutgoingObject, offset: number): Promise<boolean> {
  const deadline = Date.now() + SMALL_CALL_MS + object.size / SLOWEST_BYTES_PER_MS;
  const call = { answered: false };
  const { promise: answer, resolve, reject } = Promise.withResolvers<boolean>();
  const stream = client.upload({ deadline }, (error: ServiceError | null, response) => {
    call.answered = true;
    if (error === null) resolve(response.complete);
    else reject(fromServiceError(error, 'An upload'));
  });
  // The answer carries the same error; without listeners here it would end the process.
  stream.on('error', () => undefined);
  const settled = answer.then(
    () => undefined,
    () => undefined,
  );
  const { digest, size, purpose, run } = object;
  stream.write({ part: { $case: 'header', header: { digest, size, offset, purpose, run } } });
  try {
    for await (const piece of object.pieces(offset)) {
      if (call.answered) break;
      const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      if (!stream.write({ part: { $case: 'chunk', chunk } })) await Promise.race([new Promise((go) => stream.once('drain', go)), settled]);
    }
    stream.end();
  } catch (error) {
    // A file that cannot be read must not leave the coordinator waiting for the rest.
    stream.cancel();
    await settled;
    throw error;
  }
  return answer;
}

/** @throws AgentError 'object-mismatch' for bytes of another digest or more than `maxBytes` */
export async function downloadObject(client: DownloadServiceClient, digest: string, maxBytes: number): Promise<Uint8Array> {
  const bytes = await receive(client, digest, { offset: 0, length: 0, atMost: maxBytes });
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual !== digest) throw mismatch(digest, `the ${bytes.length} bytes that came have SHA-256 ${actual}`);
  return bytes;
}

/** Bytes of an object, unchecked but for their number. @throws AgentError 'object-mismatch' for another number than `length` */
export async function downloadPart(client: DownloadServiceClient, digest: string, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await receive(client, digest, { offset, length, atMost: length });
  if (bytes.length !== length) throw mismatch(digest, `${bytes.length} bytes of it came; ${length} from ${offset} on were asked for`);
  return bytes;
}

interface Part {
  offset: number;
  /** 0: to the end. */
  length: number;
  atMost: number;
}

async function receive(client: DownloadServiceClient, digest: string, part: Part): Promise<Uint8Array> {
  const received: Uint8Array[] = [];
  for await (const piece of pieces(client, digest, part)) received.push(piece);
  const bytes = Buffer.concat(received);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The bytes of an object from `offset` on, as they come: unchecked but for their number. @throws AgentError 'object-mismatch' for more than `maxBytes` in all */
export function objectPieces(client: DownloadServiceClient, digest: string, offset: number, maxBytes: number): AsyncGenerator<Uint8Array> {
  return pieces(client, digest, { offset, length: 0, atMost: maxBytes });
}

/** Goes on where a line was cut. */
async function* pieces(client: DownloadServiceClient, digest: string, { offset, length, atMost }: Part): AsyncGenerator<Uint8Array> {
  let received = 0;
  for (let tries = 1; ; tries += 1) {
    try {
      const rest = { digest, offset: offset + received, length: length === 0 ? 0 : length - received };
      // Nothing is left of a part whose end was lost on the way; asked for as 0 bytes, it would be all that follows.
      if (length > 0 && rest.length === 0) return;
      for await (const chunk of chunks(client, rest, atMost)) {
        received += chunk.length;
        if (received > atMost) throw mismatch(digest, `it has more than the ${atMost} bytes that were expected`);
        yield chunk;
      }
      return;
    } catch (error) {
      if (tries === TRIES || !(error instanceof AgentError) || error.code !== 'unreachable') throw error;
      await sleep(askedToWaitMs(error));
    }
  }
}

async function* chunks(client: DownloadServiceClient, request: DownloadRequest, atMost: number): AsyncGenerator<Uint8Array> {
  const deadline = Date.now() + SMALL_CALL_MS + atMost / SLOWEST_BYTES_PER_MS;
  const stream = client.download(request, { deadline });
  try {
    for await (const message of stream) {
      const { size, chunk } = message as { size: number; chunk: Uint8Array };
      if (request.length === 0 && size > atMost)
        throw mismatch(request.digest, `it is said to have ${size} bytes; such an object has at most ${atMost}`);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw fromServiceError(error as ServiceError, 'A download');
  } finally {
    stream.cancel();
  }
}

/** @throws AgentError 'object-mismatch' for another number of digests than `blocks`, or digests of another length */
export async function downloadBlockDigests(client: DownloadServiceClient, digest: string, blocks: number): Promise<Uint8Array[]> {
  const digests: Uint8Array[] = [];
  while (digests.length < blocks) {
    const page = await unary<GetBlockDigestsRequest, GetBlockDigestsResponse>(
      (request, metadata, options, callback) => client.getBlockDigests(request, metadata, options, callback),
      { digest, offset: digests.length },
      { what: 'Asking for the block digests of an object', deadlineMs: DIGESTS_CALL_MS },
    );
    if (page.digests.length === 0) throw mismatch(digest, `it has ${digests.length} block digests; ${blocks} were signed for`);
    digests.push(...page.digests);
  }
  if (digests.length !== blocks || digests.some((entry) => entry.length !== DIGEST_BYTES))
    throw mismatch(digest, `${digests.length} block digests came, not all of ${DIGEST_BYTES} bytes; ${blocks} were signed for`);
  return digests;
}

function mismatch(digest: string, reason: string): AgentError {
  return new AgentError('object-mismatch', `The object ${digest.slice(0, 16)}… was refused: ${reason}. Nothing of it was used.`);
}
