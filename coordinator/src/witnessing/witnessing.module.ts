import { Global, Module } from '@nestjs/common';
import { LedgerController } from './ledger.controller.js';
import { OutsideWitnesses } from './outside.witnesses.js';
import { ReceiptService } from './receipt.service.js';
import { WitnessKeyService } from './witness-key.service.js';
import { WitnessingService } from './witnessing.service.js';

/** Who reads and cosigns the log. */
@Global()
@Module({
  providers: [LedgerController, OutsideWitnesses, ReceiptService, WitnessKeyService, WitnessingService],
  exports: [LedgerController, OutsideWitnesses, WitnessKeyService, WitnessingService],
})
export class WitnessingModule {}
