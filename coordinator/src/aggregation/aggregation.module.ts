import { Global, Module } from '@nestjs/common';
import { AggregationService } from './aggregation.service.js';
import { SumOpener } from './sum.opener.js';

@Global()
@Module({ providers: [AggregationService, SumOpener], exports: [AggregationService] })
export class AggregationModule {}
