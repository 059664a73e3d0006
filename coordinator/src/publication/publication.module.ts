import { Global, Module } from '@nestjs/common';
import { WitnessingRepository } from '../witnessing/witnessing.repository.js';
import { LedgerLog } from './ledger.log.js';
import { LedgerRepository } from './ledger.repository.js';
import { PublicationService } from './publication.service.js';
import { TileRepository } from './tile.repository.js';

/** The log and the checkpoints over it, without anybody who reads it. */
@Global()
@Module({
  providers: [LedgerLog, LedgerRepository, PublicationService, TileRepository, WitnessingRepository],
  exports: [LedgerLog, LedgerRepository, PublicationService, WitnessingRepository],
})
export class PublicationModule {}
