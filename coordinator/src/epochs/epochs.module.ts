import { Global, Module } from '@nestjs/common';
import { EpochRenewal } from './epoch.renewal.js';
import { EpochService } from './epoch.service.js';

@Global()
@Module({ providers: [EpochRenewal, EpochService], exports: [EpochRenewal, EpochService] })
export class EpochsModule {}
