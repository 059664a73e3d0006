import { Global, Module } from '@nestjs/common';
import { ActService } from './act.service.js';
import { DamagedFiles } from './damaged.files.js';
import { RunChanges } from './run.changes.js';
import { RunQueue } from './run.queue.js';
import { RunReconciler } from './run.reconciler.js';
import { RunRepository } from './run.repository.js';
import { RunService } from './run.service.js';
import { RunViews } from './run.views.js';

@Global()
@Module({
  providers: [ActService, DamagedFiles, RunChanges, RunQueue, RunReconciler, RunRepository, RunService, RunViews],
  exports: [ActService, DamagedFiles, RunChanges, RunQueue, RunReconciler, RunRepository, RunService, RunViews],
})
export class RunsModule {}
