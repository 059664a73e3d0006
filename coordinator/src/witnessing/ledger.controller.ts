import {
  AddCosignatureResponse,
  AwaitCheckpointResponse,
  GetCheckpointResponse,
  GetConsistencyProofResponse,
  GetEntriesResponse,
  GetReceiptResponse,
  LedgerServiceService,
  type LedgerServiceServer,
} from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import { requireSite } from '../agent-port/caller.js';
import { requireCount, requireDigest, requireText } from '../agent-port/field.limits.js';
import type { GrpcController } from '../agent-port/grpc.controller.js';
import { ReceiptService } from './receipt.service.js';
import { LONGEST_NOTE } from './checkpoint.offer.js';
import { WitnessingService } from './witnessing.service.js';
import { PublicationService } from '../publication/publication.service.js';

const LONGEST_WAIT_MS = 20_000;

@Injectable()
export class LedgerController implements GrpcController<LedgerServiceServer> {
  readonly definition = LedgerServiceService;
  readonly handlers: LedgerServiceServer = {
    getCheckpoint: unary(async () => {
      await this.witnessing.freshen();
      return GetCheckpointResponse.fromPartial(this.witnessing.newest());
    }),
    getEntries: unary(async ({ start, limit }) => {
      await this.witnessing.freshen();
      const rows = await this.publication.entries(start, limit);
      return GetEntriesResponse.fromPartial({ entries: rows });
    }),
    getConsistencyProof: unary(async ({ oldSize, newSize }) => {
      await this.witnessing.freshen();
      const hashes = await this.publication.consistencyProof(oldSize, newSize);
      return GetConsistencyProofResponse.fromPartial({ hashes: hashes.map((hash) => Buffer.from(hash)) });
    }),
    awaitCheckpoint: unary(async ({ oldSize, waitMs }, { caller, signal }) => {
      const seen = requireCount('old_size', oldSize, Number.MAX_SAFE_INTEGER);
      const owed = await this.witnessing.await(requireSite(caller), seen, Math.min(waitMs, LONGEST_WAIT_MS), signal);
      if (owed === undefined) return AwaitCheckpointResponse.fromPartial({});
      const { checkpoint, proof } = owed;
      return AwaitCheckpointResponse.fromPartial({ checkpoint, consistencyProof: proof.map((hash) => Buffer.from(hash)) });
    }),
    addCosignature: unary(async ({ checkpoint }, { caller }) => {
      await this.witnessing.addOfSite(requireSite(caller), requireText('checkpoint', checkpoint, LONGEST_NOTE));
      return AddCosignatureResponse.fromPartial({});
    }),
    getReceipt: unary(async ({ payloadDigest }) => {
      const { index, entry, proof, checkpoint } = await this.receipts.of(requireDigest('payload_digest', payloadDigest));
      const inclusionProof = proof.map((hash) => Buffer.from(hash));
      return GetReceiptResponse.fromPartial({ index, entry: Buffer.from(entry), inclusionProof, checkpoint });
    }),
  };

  constructor(
    private readonly publication: PublicationService,
    private readonly witnessing: WitnessingService,
    private readonly receipts: ReceiptService,
  ) {}
}
