import { Global, Module } from '@nestjs/common';
import { LedgerController } from './ledger.controller.js';
import { LedgerLog } from './ledger.log.js';
import { LedgerRepository } from './ledger.repository.js';
import { PublicationService } from './publication.service.js';
import { TileRepository } from './tile.repository.js';

@Global()
@Module({
  providers: [LedgerController, LedgerLog, LedgerRepository, TileRepository, PublicationService],
  exports: [LedgerLog, LedgerController, PublicationService],
})
export class PublicationModule {}
