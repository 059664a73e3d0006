import { Global, Module } from '@nestjs/common';
import { OutsideWitnesses } from '../witnessing/outside.witnesses.js';
import { ReceiptService } from '../witnessing/receipt.service.js';
import { WitnessKeyService } from '../witnessing/witness-key.service.js';
import { WitnessingRepository } from '../witnessing/witnessing.repository.js';
import { WitnessingService } from '../witnessing/witnessing.service.js';
import { LedgerContent } from './ledger.content.js';
import { LedgerController } from './ledger.controller.js';
import { LedgerLog } from './ledger.log.js';
import { LedgerRepository } from './ledger.repository.js';
import { PublicationService } from './publication.service.js';

@Global()
@Module({
  providers: [
    LedgerContent,
    LedgerController,
    LedgerLog,
    LedgerRepository,
    OutsideWitnesses,
    PublicationService,
    ReceiptService,
    WitnessKeyService,
    WitnessingRepository,
    WitnessingService,
  ],
  exports: [
    LedgerContent,
    LedgerController,
    OutsideWitnesses,
    PublicationService,
    WitnessKeyService,
    WitnessingRepository,
    WitnessingService,
  ],
})
export class PublicationModule {}
