import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import { pino } from 'pino';
import { Settings } from '../settings.js';
import { ChangeNotifier } from './change.notifier.js';
import { Log } from './log.js';

@Global()
@Module({
  providers: [
    ChangeNotifier,
    {
      provide: Log,
      useFactory: (settings: Settings) => new Log(pino(pino.destination({ dest: join(settings.folder, 'coordinator.log'), sync: true }))),
      inject: [Settings],
    },
  ],
  exports: [ChangeNotifier, Log],
})
export class TelemetryModule {}
