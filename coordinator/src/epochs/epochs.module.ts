import { Global, Module } from '@nestjs/common';
import { EpochService } from './epoch.service.js';

@Global()
@Module({ providers: [EpochService], exports: [EpochService] })
export class EpochsModule {}
