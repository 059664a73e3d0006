import { join } from 'node:path';
import { Global, Module } from '@nestjs/common';
import { pino } from 'pino';
import { Settings } from '../settings.js';
import { ChangeNotifier } from './change.notifier.js';
import { Clock } from './clock.js';
import { Health } from './health.js';
import { LogFile } from './log.file.js';
import { Log } from './log.js';

@Global()
@Module({
  providers: [
    ChangeNotifier,
    Clock,
    Health,
    { provide: LogFile, useFactory: (settings: Settings) => new LogFile(join(settings.folder, 'coordinator.log')), inject: [Settings] },
    { provide: Log, useFactory: (file: LogFile) => new Log(pino({}, file)), inject: [LogFile] },
  ],
  exports: [ChangeNotifier, Clock, Health, Log, LogFile],
})
export class TelemetryModule {}
