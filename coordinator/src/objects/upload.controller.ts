import type { ServerReadableStream, handleClientStreamingCall } from '@grpc/grpc-js';
import {
  GetUploadResponse,
  ObjectPurpose,
  type UploadHeader,
  type UploadRequest,
  UploadResponse,
  type UploadServiceServer,
  UploadServiceService,
} from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { failed, unary } from '../agent-port/call.handler.js';
import { readCaller, requireSite } from '../agent-port/caller.js';
import { requireCount, requireDigest, requireText } from '../agent-port/field.limits.js';
import type { GrpcController } from '../agent-port/grpc.controller.js';
import { CoordinatorError } from '../errors/index.js';
import { Metrics } from '../telemetry/metrics.js';
import { withinIdle } from './idle.upload.js';
import { CHUNK_BYTES, ObjectService, type UploadPart } from './object.service.js';
import { UploadQuota } from './upload.quota.js';

const PURPOSES: Partial<Record<ObjectPurpose, UploadPart['purpose']>> = {
  [ObjectPurpose.OBJECT_PURPOSE_DEALING_MASKED]: 'dealing-masked',
  [ObjectPurpose.OBJECT_PURPOSE_DEALING_BOX]: 'dealing-box',
  [ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT]: 'ciphertext',
  [ObjectPurpose.OBJECT_PURPOSE_DECRYPTION_SHARE]: 'decryption-share',
};

/** A line on which not one chunk comes in this time is dead, or holds its place on purpose. */
const UPLOAD_IDLE_MS = 60_000;

@Injectable()
export class UploadController implements GrpcController<UploadServiceServer> {
  readonly definition = UploadServiceService;
  readonly handlers: UploadServiceServer;

  constructor(
    private readonly objects: ObjectService,
    private readonly quota: UploadQuota,
    private readonly metrics: Metrics,
  ) {
    const upload: handleClientStreamingCall<UploadRequest, UploadResponse> = (call, callback) => {
      this.#upload(call).then(
        (response) => callback(null, response),
        (error: unknown) => callback(failed(call.getPath(), error)),
      );
    };
    this.handlers = {
      getUpload: unary(async ({ digest }, { caller }) =>
        GetUploadResponse.fromPartial(await this.objects.uploadState(requireSite(caller).site, requireDigest('digest', digest))),
      ),
      upload,
    };
  }

  async #upload(call: ServerReadableStream<UploadRequest, UploadResponse>): Promise<UploadResponse> {
    const member = requireSite(readCaller(call.metadata));
    const parts = withinIdle(call as AsyncIterable<UploadRequest>, UPLOAD_IDLE_MS);
    const first = await parts.next();
    const part = first.done === true ? undefined : first.value.part;
    if (part?.$case !== 'header') throw new CoordinatorError('malformed', 'The first message of an upload must be its header.');
    const header = readHeader(part.header);
    await this.quota.require(member.site, header);
    return UploadResponse.fromPartial(await this.objects.upload(member, header, this.#counted(header.purpose, chunksOf(parts))));
  }

  async *#counted(purpose: UploadPart['purpose'], chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of chunks) {
      this.metrics.received.inc({ purpose }, chunk.length);
      yield chunk;
    }
  }
}

function readHeader(header: UploadHeader): UploadPart {
  const purpose = PURPOSES[header.purpose];
  if (purpose === undefined) throw new CoordinatorError('malformed', `Objects of purpose ${header.purpose} are not uploaded by sites.`);
  return {
    digest: requireDigest('digest', header.digest),
    size: requireCount('size', header.size, Number.MAX_SAFE_INTEGER),
    offset: requireCount('offset', header.offset, Number.MAX_SAFE_INTEGER),
    purpose,
    run: requireText('run', header.run, 40),
  };
}

async function* chunksOf(parts: AsyncIterator<UploadRequest>): AsyncIterable<Uint8Array> {
  for (let next = await parts.next(); next.done !== true; next = await parts.next()) {
    const { part } = next.value;
    if (part?.$case !== 'chunk') throw new CoordinatorError('malformed', 'After its header an upload has chunks only.');
    if (part.chunk.length > CHUNK_BYTES)
      throw new CoordinatorError('too-large', `A chunk has ${part.chunk.length} bytes; at most ${CHUNK_BYTES} are taken.`);
    yield part.chunk;
  }
}
