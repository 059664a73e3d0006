import type { ServerWritableStream, handleServerStreamingCall } from '@grpc/grpc-js';
import {
  type DownloadRequest,
  DownloadResponse,
  type DownloadServiceServer,
  DownloadServiceService,
  GetBlockDigestsResponse,
} from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { failed, unary } from '../agent-port/call.handler.js';
import { readCaller, requireSite } from '../agent-port/caller.js';
import { requireCount, requireDigest } from '../agent-port/field.limits.js';
import type { GrpcController } from '../agent-port/grpc.controller.js';
import { Metrics } from '../telemetry/metrics.js';
import { ObjectService } from './object.service.js';

@Injectable()
export class DownloadController implements GrpcController<DownloadServiceServer> {
  readonly definition = DownloadServiceService;
  readonly handlers: DownloadServiceServer;

  constructor(
    private readonly objects: ObjectService,
    private readonly metrics: Metrics,
  ) {
    const download: handleServerStreamingCall<DownloadRequest, DownloadResponse> = (call) => {
      this.#download(call).then(
        () => call.end(),
        (error: unknown) => call.emit('error', failed(call.getPath(), error)),
      );
    };
    this.handlers = {
      download,
      getBlockDigests: unary(async ({ digest, offset }, { caller }) =>
        GetBlockDigestsResponse.fromPartial({
          digests: await this.objects.blockDigests(
            requireSite(caller),
            requireDigest('digest', digest),
            requireCount('offset', offset, Number.MAX_SAFE_INTEGER),
          ),
        }),
      ),
    };
  }

  async #download(call: ServerWritableStream<DownloadRequest, DownloadResponse>): Promise<void> {
    const caller = readCaller(call.metadata);
    const digest = requireDigest('digest', call.request.digest);
    const offset = requireCount('offset', call.request.offset, Number.MAX_SAFE_INTEGER);
    const length = requireCount('length', call.request.length, Number.MAX_SAFE_INTEGER);
    const { size, purpose, chunks } = await this.objects.download(caller, digest, { offset, length });
    call.write(DownloadResponse.fromPartial({ size }));
    for await (const chunk of chunks) {
      if (call.cancelled) return;
      this.metrics.sent.inc({ purpose }, chunk.length);
      if (!call.write(DownloadResponse.fromPartial({ chunk }))) await drained(call);
    }
  }
}

function drained(call: ServerWritableStream<DownloadRequest, DownloadResponse>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off('drain', done);
      call.off('cancelled', done);
      resolve();
    };
    call.on('drain', done);
    call.on('cancelled', done);
  });
}
