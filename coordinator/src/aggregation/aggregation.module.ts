import { Global, Module } from '@nestjs/common';
import { AggregationService } from './aggregation.service.js';

@Global()
@Module({ providers: [AggregationService], exports: [AggregationService] })
export class AggregationModule {}
