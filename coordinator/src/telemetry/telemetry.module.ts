import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import { Settings } from '../settings.js';
import { ChangeNotifier } from './change.notifier.js';
import { Clock } from './clock.js';
import { Health } from './health.js';
import { openLog } from './log.destination.js';
import { LogFile } from './log.file.js';
import { Log } from './log.js';
import { Metrics } from './metrics.js';

@Global()
@Module({
  providers: [
    ChangeNotifier,
    Clock,
    Health,
    Metrics,
    { provide: LogFile, useFactory: (settings: Settings) => new LogFile(join(settings.folder, 'coordinator.log')), inject: [Settings] },
    { provide: Log, useFactory: (settings: Settings, file: LogFile) => new Log(openLog(settings, file)), inject: [Settings, LogFile] },
  ],
  exports: [ChangeNotifier, Clock, Health, Log, LogFile, Metrics],
})
export class TelemetryModule {}
