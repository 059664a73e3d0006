import { Global, Module } from '@nestjs/common';
import { ActService } from './act.service.js';
import { DamagedFiles } from './damaged.files.js';
import { HealthProbe } from '../telemetry/health.probe.js';
import { KeptTime } from './kept.time.js';
import { NewSetService } from './new-set.service.js';
import { ReadmissionService } from './readmission.service.js';
import { RunChanges } from './run.changes.js';
import { RunControl } from './run.control.js';
import { RunQueue } from './run.queue.js';
import { RunReconciler } from './run.reconciler.js';
import { RunRepository } from './run.repository.js';
import { RunService } from './run.service.js';
import { RunViews } from './run.views.js';
import { StuckService } from './stuck.service.js';

@Global()
@Module({
  providers: [
    ActService,
    DamagedFiles,
    HealthProbe,
    KeptTime,
    NewSetService,
    ReadmissionService,
    RunChanges,
    RunControl,
    RunQueue,
    RunReconciler,
    RunRepository,
    RunService,
    RunViews,
    StuckService,
  ],
  exports: [
    ActService,
    DamagedFiles,
    HealthProbe,
    KeptTime,
    NewSetService,
    ReadmissionService,
    RunChanges,
    RunControl,
    RunQueue,
    RunReconciler,
    RunRepository,
    RunService,
    RunViews,
    StuckService,
  ],
})
export class RunsModule {}
