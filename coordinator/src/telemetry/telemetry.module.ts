import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import { pino } from 'pino';
import { Settings } from '../settings.js';
import { ChangeNotifier } from './change.notifier.js';
import { Clock } from './clock.js';
import { Health } from './health.js';
import { Log } from './log.js';

@Global()
@Module({
  providers: [
    ChangeNotifier,
    Clock,
    Health,
    {
      provide: Log,
      useFactory: (settings: Settings) => new Log(pino(pino.destination({ dest: join(settings.folder, 'coordinator.log'), sync: true }))),
      inject: [Settings],
    },
  ],
  exports: [ChangeNotifier, Clock, Health, Log],
})
export class TelemetryModule {}
