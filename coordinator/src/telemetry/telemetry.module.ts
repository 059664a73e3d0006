import { Global, Module } from '@nestjs/common';
import { Settings } from '../settings.js';
import { ChangeNotifier } from './change.notifier.js';
import { Clock } from './clock.js';
import { Health } from './health.js';
import { openLog } from './log.destination.js';
import { Log } from './log.js';
import { Metrics } from './metrics.js';

@Global()
@Module({
  providers: [
    ChangeNotifier,
    Clock,
    Health,
    Metrics,
    {
      provide: Log,
      useFactory: (settings: Settings) => new Log(openLog(settings)),
      inject: [Settings],
    },
  ],
  exports: [ChangeNotifier, Clock, Health, Log, Metrics],
})
export class TelemetryModule {}
