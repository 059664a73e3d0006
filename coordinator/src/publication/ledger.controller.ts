import {
  GetCheckpointResponse,
  GetConsistencyProofResponse,
  GetEntriesResponse,
  LedgerServiceService,
  type LedgerServiceServer,
} from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import type { GrpcController } from '../agent-port/grpc.controller.js';
import { PublicationService } from './publication.service.js';

@Injectable()
export class LedgerController implements GrpcController<LedgerServiceServer> {
  readonly definition = LedgerServiceService;
  readonly handlers: LedgerServiceServer = {
    getCheckpoint: unary(async () => GetCheckpointResponse.fromPartial({ checkpoint: this.publication.checkpoint })),
    getEntries: unary(async ({ start, limit }) => {
      const rows = await this.publication.entries(start, limit);
      return GetEntriesResponse.fromPartial({ entries: rows });
    }),
    getConsistencyProof: unary(async ({ oldSize, newSize }) => {
      const hashes = await this.publication.consistencyProof(oldSize, newSize);
      return GetConsistencyProofResponse.fromPartial({ hashes: hashes.map((hash) => Buffer.from(hash)) });
    }),
    awaitCheckpoint: unary(() => Promise.reject(new Error('not built'))),
    addCosignature: unary(() => Promise.reject(new Error('not built'))),
    getReceipt: unary(() => Promise.reject(new Error('not built'))),
  };

  constructor(private readonly publication: PublicationService) {}
}
