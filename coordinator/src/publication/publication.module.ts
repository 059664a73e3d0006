import { Global, Module } from '@nestjs/common';
import { OutsideWitnesses } from '../witnessing/outside.witnesses.js';
import { ReceiptService } from '../witnessing/receipt.service.js';
import { WitnessKeyService } from '../witnessing/witness-key.service.js';
import { WitnessingRepository } from '../witnessing/witnessing.repository.js';
import { WitnessingService } from '../witnessing/witnessing.service.js';
import { LedgerController } from './ledger.controller.js';
import { LedgerLog } from './ledger.log.js';
import { LedgerRepository } from './ledger.repository.js';
import { PublicationService } from './publication.service.js';
import { TileRepository } from './tile.repository.js';

@Global()
@Module({
  providers: [
    LedgerController,
    LedgerLog,
    LedgerRepository,
    OutsideWitnesses,
    PublicationService,
    ReceiptService,
    TileRepository,
    WitnessKeyService,
    WitnessingRepository,
    WitnessingService,
  ],
  exports: [LedgerController, LedgerLog, OutsideWitnesses, PublicationService, WitnessKeyService, WitnessingRepository, WitnessingService],
})
export class PublicationModule {}
