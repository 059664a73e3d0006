import { Global, Module } from '@nestjs/common';
import { LedgerAnswers } from './ledger.answer.js';
import { LedgerServer } from './ledger.server.js';

@Global()
@Module({ providers: [LedgerAnswers, LedgerServer], exports: [LedgerServer] })
export class LedgerHttpModule {}
