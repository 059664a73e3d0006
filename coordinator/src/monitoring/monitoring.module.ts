import { Module } from '@nestjs/common';
import { OperatorModule } from '../operator/operator.module.js';
import { MetricsAnswer } from './metrics.answer.js';
import { MonitorServer } from './monitor.server.js';
import { RunGauges } from './run.gauges.js';
import { SiteGauges } from './site.gauges.js';
import { StoreGauges } from './store.gauges.js';

@Module({ imports: [OperatorModule], providers: [MetricsAnswer, MonitorServer, RunGauges, SiteGauges, StoreGauges] })
export class MonitoringModule {}
